"""Charts: data in, Plotly figure out. Nothing here uses Streamlit or calls the API."""

"""Charts: data in, Plotly figure out. Nothing here knows of Streamlit or the API."""

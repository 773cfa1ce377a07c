"""The services that this one is compared with, each as its own documentation has it built."""

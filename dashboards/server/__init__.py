"""One ASGI app: Streamlit's pages beside our own routes."""

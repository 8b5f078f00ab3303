"""What stands between the network and every route: checked first, for HTTP and for the websocket."""

"""The HTTP server for local use and Kubernetes: connections, processes, worker threads, and ASGI."""

"""What is recorded from inside a worker: standard library and anyio only.

``layout`` is the binary form, shared with the harness; ``thread_log`` has a
record for each handler call; ``gauges`` keeps one page of numbers that the
harness reads from outside; ``thread_queue`` counts who waits for a thread;
``asgi`` puts both around the application.
"""

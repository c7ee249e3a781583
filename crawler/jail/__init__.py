"""Untrusted documents are read in worker processes that can do next to nothing.

    Pool → Jail (one worker, long-lived) ⇄ frames over two pipes ⇄ worker

A worker has no network, starts no process, opens no file for writing, and has limits on memory, CPU and wall clock for
each document. What a document does to it (an endless loop, a bomb, a crash) is that document's `Failure`; the worker is
killed with all that it holds, and the next document gets a new one. Workers are also replaced after some hundreds of
documents, so that nothing can wait in one for long.

Two independent layers, because neither is had everywhere: bubblewrap (namespaces: an empty network, a file system of
read-only program folders) where it is installed and allowed, and a seccomp filter (Linux on x86-64 and arm64). What is
in force is in `Jail.measures`. Elsewhere, macOS included, the separate process, its limits and the clock remain.

What the worker sends back is data and nothing else: JSON, held to what its function says it returns.
"""

from crawler.jail.jail import Failure, Jail, JailError, Limits
from crawler.jail.pool import InProcess, Pool, Runner, shared

__all__ = ["Failure", "InProcess", "Jail", "JailError", "Limits", "Pool", "Runner", "shared"]

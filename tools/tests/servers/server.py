"""A server on the official Python SDK. `server.py` speaks over standard input and output, `server.py http` over streamable HTTP."""

import asyncio
import os
import socket
import sys

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("python")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fails."""
    raise ToolError("the disk is full")


@server.tool()
def picture() -> Image:
    """A picture of one pixel."""
    return Image(data=PIXEL, format="png")


@server.tool()
def environment() -> list[str]:
    """The names in the environment."""
    return sorted(os.environ)


@server.tool()
async def count(ctx: Context) -> str:
    """Counts to three, and tells how far it is."""
    for step in (1, 2, 3):
        await ctx.report_progress(step, 3)
    return "counted"


@server.tool()
def who(ctx: Context) -> str:
    """Who asks."""
    meta = ctx.request_context.meta or {}
    return str(dict(meta).get("outcrop/caller"))


@server.tool()
async def grow(ctx: Context) -> str:
    """Adds a tool."""
    server.add_tool(lambda: "new", name="grown", description="Was not there before.")
    await ctx.session.send_tool_list_changed()
    return "grown"


@server.tool()
async def wait() -> str:
    """Waits for ever."""
    await asyncio.Event().wait()


@server.tool()
def die() -> str:
    """Ends the server at once."""
    os._exit(3)


if sys.argv[1:] == ["http"]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    print(port, flush=True)
    server.run("streamable-http", host="127.0.0.1", port=port)
else:
    server.run()

//! MCP servers as a proxy uses them: started, watched, guarded, called.

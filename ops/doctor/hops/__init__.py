"""One module for each hop, or for hops that look at one document: `async def check(chain) -> Hop`."""

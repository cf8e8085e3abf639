"""Writers tell a plan in words: offline from phrases, or through a language model."""

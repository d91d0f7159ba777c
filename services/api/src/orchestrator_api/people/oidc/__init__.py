"""OpenID Connect: one provider, by settings, beside or instead of passwords."""

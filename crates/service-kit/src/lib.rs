//! What every service needs and no domain: configuration, telemetry, serving, errors, pages, masks, etags, clock.

"""Laws as data: regimes, authorities, states of the EEA, and the calendars they count by."""

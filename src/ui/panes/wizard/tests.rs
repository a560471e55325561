//! Journeys through the wizard, as lists of events.

//! How containers live, by their image: serve, crash, leak, never become ready, end.
//!
//! The tag decides, so that rolling back to a good tag heals a service as it would for real.

/// How a container lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Runs, and is ready after so many seconds.
    Serves(i64),
    /// Runs so many seconds, then ends with this code.
    Crashes(i64, i32),
    /// Needs more and more memory, and is killed at its limit after so many seconds.
    Leaks(i64),
    /// Cannot be pulled.
    Missing,
    /// Runs but never answers its readiness probe.
    NeverReady,
    /// Does its work in so many seconds and ends with this code.
    Works(i64, i32),
    /// Refers to a key that its configuration has not.
    Misconfigured,
}

/// Tags that mean something; what is not listed serves.
const TAGS: &[(&str, Life)] = &[
    ("payment-gateway:4.12.1", Life::Crashes(14, 1)),
    ("promotion-engine:2.8.0", Life::Crashes(9, 2)),
    ("search-indexer:7.3.0", Life::Leaks(540)),
    ("basket-service:3.1.0-rc.2", Life::NeverReady),
    ("settlement-run:1.19.0", Life::Works(35, 3)),
    ("settlement-run:", Life::Works(50, 0)),
    ("supplier-sync:", Life::Works(40, 0)),
    ("forecast-train:", Life::Works(600, 0)),
    ("migrate:", Life::Works(4, 0)),
    ("courier-router:6.0.0-beta.1", Life::Misconfigured),
    ("wait-for:", Life::Works(3, 0)),
];

/// Returns how containers of an image live.
pub fn of_image(image: &str) -> Life {
    let short = image.rsplit('/').next().unwrap_or(image);
    if let Some((_, life)) = TAGS.iter().find(|(tag, _)| short.starts_with(tag)) {
        return *life;
    }
    // tags that tests and curious people can use with any image
    let tag = short.split_once(':').map_or("", |(_, tag)| tag);
    match tag {
        tag if tag.contains("missing") => Life::Missing,
        tag if tag.contains("crash") => Life::Crashes(5, 1),
        tag if tag.contains("leak") => Life::Leaks(60),
        tag if tag.contains("unready") => Life::NeverReady,
        tag if tag.contains("fails") => Life::Works(3, 1),
        tag if tag.contains("works") => Life::Works(3, 0),
        _ => Life::Serves(3 + (super::random::of_text(short) % 6) as i64),
    }
}

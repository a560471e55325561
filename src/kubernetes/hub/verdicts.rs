//! Says how the entities are, whenever something is published.

use super::shared::Shared;
use crate::kubernetes::health::Book;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(150);
/// Looking takes this part of the time at most.
const SHARE: u32 = 20;
/// Some verdicts change with time alone.
const AGEING: Duration = Duration::from_secs(20);

/// Keeps the verdicts until the hub ends.
pub async fn run(shared: Arc<Shared>, mut book: Book) {
    let (mut catalog, mut shown) = (shared.catalog.subscribe(), shared.board.follow());
    loop {
        tokio::select! {
            changed = shown.changed() => if changed.is_err() { return },
            changed = catalog.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AGEING) => {}
        }
        let Some(known) = shared.catalog.borrow().clone() else { continue };
        let state = shared.board.state();
        let before = state.health.clone();
        let started = Instant::now();
        // a lost thread loses the book, and with it what was looked at
        let work = tokio::task::spawn_blocking(move || {
            let health = book.update(&state, &known, Timestamp::now());
            (book, health)
        });
        let Ok((kept, health)) = work.await else { return };
        book = kept;
        if !Arc::ptr_eq(&before, &health) {
            shared.board.edit_rest(|state| {
                state.health = health;
                true
            });
        }
        tokio::time::sleep((started.elapsed() * SHARE).max(PAUSE)).await;
    }
}

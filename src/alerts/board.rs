//! What all servers say together.

use super::server::{Provider, ProviderError};
use super::{Alert, Silence, State};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A server that gave nothing.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Its name.
    pub provider: Arc<str>,
    /// Why, in plain words.
    pub cause: String,
}

/// What was told at one time.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Alerts, the worst first, then the newest.
    pub alerts: Vec<Alert>,
    /// Silences with the server that has them, those that end first in front.
    pub silences: Vec<(Arc<str>, Silence)>,
    /// Servers that gave nothing.
    pub faults: Vec<Fault>,
    /// When they were asked.
    pub asked: Option<Timestamp>,
}

/// Labels that differ between servers that tell of the same.
const OF_SERVERS: [&str; 4] = ["prometheus", "prometheus_replica", "replica", "monitor"];

/// Asks all servers at once and joins what they say.
pub fn collect(providers: &[Box<dyn Provider>], cancel: &CancellationToken) -> Board {
    type Told = (Result<Vec<Alert>, ProviderError>, Option<Result<Vec<Silence>, ProviderError>>);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let asking: Vec<_> = providers
            .iter()
            .map(|provider| scope.spawn(move || (provider.alerts(cancel), provider.silences(cancel))))
            .collect();
        let crashed = || {
            let cause = "asking it failed".to_owned();
            (Err(ProviderError::Refused { name: String::new(), cause }), None)
        };
        asking.into_iter().map(|asking| asking.join().unwrap_or_else(|_| crashed())).collect()
    });
    let mut board = Board { asked: Some(Timestamp::now()), ..Board::default() };
    let mut alerts = Vec::new();
    for (provider, (found, silences)) in providers.iter().zip(told) {
        let fault =
            |error: ProviderError| Fault { provider: provider.name().clone(), cause: error.to_string() };
        match found {
            Ok(found) => alerts.extend(found),
            Err(error) => {
                board.faults.push(fault(error));
                continue;
            }
        }
        match silences {
            Some(Ok(silences)) => {
                board.silences.extend(silences.into_iter().map(|silence| (provider.name().clone(), silence)));
            }
            Some(Err(error)) => board.faults.push(fault(error)),
            None => {}
        }
    }
    board.silences.sort_by(|(_, a), (_, b)| (a.ends, &a.id).cmp(&(b.ends, &b.id)));
    board.alerts = joined(alerts);
    board
}

/// Makes one alert of those that are the same on several servers.
pub fn joined(alerts: Vec<Alert>) -> Vec<Alert> {
    let mut by_key: BTreeMap<Vec<(String, String)>, Alert> = BTreeMap::new();
    for alert in alerts {
        let key: Vec<(String, String)> = std::iter::once((String::new(), alert.name.clone()))
            .chain(alert.labels.iter().map(|(name, value)| (name.clone(), value.clone())))
            .filter(|(name, _)| !OF_SERVERS.contains(&name.as_str()))
            .collect();
        match by_key.get_mut(&key) {
            Some(known) => known.join(alert),
            None => drop(by_key.insert(key, alert)),
        }
    }
    let mut alerts: Vec<Alert> = by_key.into_values().collect();
    alerts.sort_by(|a, b| {
        let order = |alert: &Alert| (alert.state, alert.severity);
        order(a).cmp(&order(b)).then(b.since.cmp(&a.since)).then_with(|| a.name.cmp(&b.name))
    });
    alerts
}

impl Alert {
    /// Takes in what another server says of the same.
    fn join(&mut self, other: Self) {
        for provider in other.providers {
            if !self.providers.contains(&provider) {
                self.providers.push(provider);
            }
        }
        // who silences knows more than who fires
        self.state = match (self.state, other.state) {
            (State::Silenced, _) | (_, State::Silenced) => State::Silenced,
            (State::Firing, _) | (_, State::Firing) => State::Firing,
            (State::Pending, State::Pending) => State::Pending,
        };
        self.since = match (self.since, other.since) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.url.is_empty() {
            self.url = other.url;
        }
        self.silences.extend(other.silences);
        self.receivers.extend(other.receivers);
        for (key, value) in other.annotations {
            self.annotations.entry(key).or_insert(value);
        }
    }
}

//! What a table shows of objects: columns per kind as data, used by panes and by headless tables alike.
//!
//! A [`Column`] has a heading, a priority by which narrow places drop it, and a function that makes a [`Cell`] of a
//! [`Row`]: its text, how good or bad that is, and what to sort by. Texts are as servers sent them: whoever draws
//! them makes them safe. Start at [`of_kind`].

mod other;
mod pod;
#[cfg(test)]
mod tests;
mod words;
mod workload;

pub use pod::{PodStatus, limits, percent, pod_status, requests, usage};
pub use words::{age, bytes, schedule, span};

use super::kind::Kind;
use super::object::Object;
use super::state::ClusterState;
use jiff::Timestamp;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub head: &'static str,
    /// 0 is always shown; the higher, the earlier it is left out where there is no room.
    pub priority: u8,
    /// Only wide tables have it.
    pub is_wide: bool,
    /// Its texts are numbers: they stand at the right.
    pub is_number: bool,
    /// Makes the cell.
    pub cell: fn(&Row<'_>) -> Cell,
}

/// What a row of a table is made of.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The cluster of the object.
    pub cluster: &'a ClusterState,
    /// The object.
    pub object: &'a Object,
    /// Now.
    pub now: Timestamp,
}

/// How good what a cell says is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// It just is.
    #[default]
    Plain,
    /// Good.
    Ok,
    /// To be looked at.
    Warn,
    /// Bad.
    Error,
    /// Beside the point.
    Dim,
}

/// What a row is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum Sort {
    /// By the text.
    Text,
    /// By a number.
    Number(f64),
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What is shown, as the server sent it.
    pub text: String,
    /// How good it is.
    pub tone: Tone,
    /// What to sort by.
    pub sort: Sort,
}

impl Cell {
    /// Creates a cell of a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, sort: Sort::Text }
    }

    /// Creates a cell that sorts by a number.
    pub fn number(text: impl Into<String>, number: f64) -> Self {
        Self { text: text.into(), tone: Tone::Plain, sort: Sort::Number(number) }
    }

    /// Creates a cell of a count.
    pub fn count(count: impl Into<i64>) -> Self {
        let count = count.into();
        #[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
        Self::number(count.to_string(), count as f64)
    }

    /// Sets how good it is.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// Compares two cells of a column, as sorting by it does.
pub fn compare(a: &Cell, b: &Cell) -> std::cmp::Ordering {
    match (&a.sort, &b.sort) {
        (Sort::Number(a), Sort::Number(b)) => a.total_cmp(b),
        _ => a.text.cmp(&b.text),
    }
}

/// Returns the columns of a kind, in the order in which they are shown.
pub fn of_kind(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Pod => pod::COLUMNS,
        Kind::Deployment => workload::DEPLOYMENT,
        Kind::StatefulSet | Kind::DaemonSet => workload::SET,
        Kind::ReplicaSet => workload::REPLICA_SET,
        Kind::Job => workload::JOB,
        Kind::CronJob => workload::CRON_JOB,
        Kind::HorizontalPodAutoscaler => workload::AUTOSCALER,
        Kind::Service => other::SERVICE,
        Kind::Ingress => other::INGRESS,
        Kind::ConfigMap => other::CONFIG_MAP,
        Kind::Secret => other::SECRET,
        Kind::PersistentVolumeClaim | Kind::PersistentVolume => other::VOLUME,
        Kind::Node => other::NODE,
        Kind::Event => other::EVENT,
        Kind::LimitRange | Kind::ResourceQuota => other::PAIRS,
        Kind::Custom(_) => other::CUSTOM,
    }
}

/// Creates a column that is always in a table.
const fn column(head: &'static str, priority: u8, cell: fn(&Row<'_>) -> Cell) -> Column {
    Column { head, priority, is_wide: false, is_number: false, cell }
}

/// Creates a column of numbers.
const fn number(head: &'static str, priority: u8, cell: fn(&Row<'_>) -> Cell) -> Column {
    Column { head, priority, is_wide: false, is_number: true, cell }
}

/// Creates a column of wide tables.
const fn wide(head: &'static str, cell: fn(&Row<'_>) -> Cell) -> Column {
    Column { head, priority: 9, is_wide: true, is_number: false, cell }
}

const NAME: Column = column("NAME", 0, |row| Cell::text(&*row.object.name));
const NAMESPACE: Column = column("NAMESPACE", 3, |row| Cell::text(&*row.object.namespace));
const CLUSTER: Column = column("CLUSTER", 4, |row| Cell::text(&*row.cluster.cluster.name));
const AGE: Column = number("AGE", 2, |row| since(row.object.created, row.now));
const LABELS: Column = wide("LABELS", |row| {
    let labels: Vec<String> = row.object.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Cell::text(labels.join(","))
});

/// Returns the cell of an age; what is oldest sorts last.
fn since(at: Option<Timestamp>, now: Timestamp) -> Cell {
    let Some(at) = at else { return Cell::number("-", f64::MAX) };
    #[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
    Cell::number(age(at, now), now.duration_since(at).as_secs() as f64)
}

//! Twenty thousand pods in a namespace, against the server of the demo world in a process of its own: first rows,
//! memory, a change, rest.
//!
//! `cargo bench --bench clusters`. Prints what it measured; the budgets are 300 ms from the server's answer to the
//! first rows, 2 kB a pod, 100 ms for a change, hardly any CPU at rest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement that fails fails loudly"
)]

use devportal::demo::kubernetes::{R, Scenario, World};
use devportal::kubernetes::clusters::{Places, Wanted, discover};
use devportal::kubernetes::hub::{Report, Settings};
use devportal::kubernetes::object::Facts;
use devportal::kubernetes::state::{Phase, Watch};
use devportal::kubernetes::{Hub, Kind, Order, State};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PODS: usize = 20_000;
const LIMIT: Duration = Duration::from_secs(120);

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut server = start();
    let kubeconfig = server.line();
    // what every start costs, pods or not
    let before = resident();
    let (sender, states) = channel();
    let tell = move |report| {
        if let Report::State(state) = report {
            let _ = sender.send((Instant::now(), state));
        }
    };
    let places = Places { kubeconfig: vec![PathBuf::from(kubeconfig)], is_in_cluster: false };
    let hub = Hub::with(
        Settings::default(),
        Box::new(move || discover(&places, &Wanted::default())),
        Arc::new(tell),
    );
    let begin = Instant::now();
    hub.order(Order::Watch(vec![Kind::Pod]));
    let (answered, _) =
        wait(&states, |state| state.clusters.first().is_some_and(|known| known.phase == Phase::Live));
    let (rows, _) = wait(&states, |state| pods(state) > 0);
    let (all, _) = wait(&states, |state| pods(state) == PODS && is_live(state));
    let ms = |later: Instant, earlier: Instant| later.saturating_duration_since(earlier).as_secs_f64() * 1e3;
    println!("cluster answers       {:8.0} ms after the order", ms(answered, begin));
    println!("first rows            {:8.0} ms after that", ms(rows, answered));
    println!("all {PODS} pods       {:8.0} ms after that", ms(all, answered));
    std::thread::sleep(Duration::from_secs(3));
    let kept = resident().saturating_sub(before);
    println!(
        "resident              {:8.1} MB more, {:.0} bytes a pod",
        kept as f64 / 1e6,
        kept as f64 / PODS as f64
    );
    let mut spans: Vec<f64> = (0..20)
        .map(|at| {
            let (asked, name) = server.touch(at);
            wait(&states, |state| is_failed(state, &name));
            now().saturating_sub(asked) as f64 / 1e6
        })
        .collect();
    spans.sort_by(f64::total_cmp);
    println!(
        "a change is published {:8.0} ms after it was made (worst of 20: {:.0} ms)",
        spans[10], spans[19]
    );
    let (used, since) = (cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    println!(
        "at rest               {:8.2} % of a core",
        (cpu() - used) / since.elapsed().as_secs_f64() * 100.0
    );
    drop(hub);
    server.end();
}

/// The other process: the server, and what it is told on its standard input.
fn serve() {
    let world = World::start(&Scenario::empty("bulk").in_real_time()).unwrap();
    let server = world.server("bulk").unwrap();
    server.cluster().add_pods("bulk", PODS);
    println!("{}", world.kubeconfig().display());
    for line in std::io::stdin().lock().lines() {
        let at: usize = line.unwrap().trim().parse().unwrap();
        let mut cluster = server.cluster();
        let name =
            cluster.store.list(R::Pod, None, None).nth(at * 997).map(|(key, _)| key.1.to_string()).unwrap();
        let mut pod = (*cluster.store.value(R::Pod, "bulk", &name).unwrap()).clone();
        pod["status"]["phase"] = "Failed".into();
        let asked = now();
        cluster.store.put_bulk(R::Pod, pod);
        drop(cluster);
        println!("{asked} {name}");
    }
}

struct Server {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

fn start() -> Server {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    Server { child, lines }
}

impl Server {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Has a pod fail; returns when, and which.
    fn touch(&mut self, at: usize) -> (u128, String) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{at}").unwrap();
        let line = self.line();
        let (asked, name) = line.split_once(' ').unwrap();
        (asked.parse().unwrap(), name.to_owned())
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn wait(states: &Receiver<(Instant, Arc<State>)>, is_it: impl Fn(&State) -> bool) -> (Instant, Arc<State>) {
    let until = Instant::now() + LIMIT;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let (at, state) = states.recv_timeout(left).expect("a state in time");
        if is_it(&state) {
            return (at, state);
        }
    }
}

fn pods(state: &State) -> usize {
    let known = state.clusters.first();
    known.and_then(|known| known.tables.get(&Kind::Pod)).map_or(0, |table| table.objects.len())
}

fn is_live(state: &State) -> bool {
    let known = state.clusters.first();
    known.and_then(|known| known.tables.get(&Kind::Pod)).is_some_and(|table| table.watch == Watch::Live)
}

fn is_failed(state: &State, name: &str) -> bool {
    let table = &state.clusters[0].tables[&Kind::Pod];
    let pod = table.objects.get(&("bulk".into(), name.into()));
    pod.is_some_and(|pod| matches!(&pod.facts, Facts::Pod(pod) if &*pod.phase == "Failed"))
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

/// Returns the bytes of memory this process holds; 0 where the system does not say.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// Returns the seconds of CPU this process has used; 0 where the system does not say.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

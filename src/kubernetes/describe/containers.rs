//! Containers, volumes and conditions in a description.

use super::page::Page;
use crate::kubernetes::ask::{list, number, pairs, text, time};
use serde_json::Value;

/// Containers described; the rest is counted.
const MAX: usize = 100;

/// Describes the containers of a pod or template, with their states where `status` has them.
pub fn containers(page: &mut Page, spec: &Value, status: Option<&Value>) {
    let parts = [
        ("Init containers", "/initContainers", "/initContainerStatuses"),
        ("Containers", "/containers", "/containerStatuses"),
        ("Ephemeral containers", "/ephemeralContainers", "/ephemeralContainerStatuses"),
    ];
    for (title, spec_at, status_at) in parts {
        let all = list(spec, spec_at);
        if all.is_empty() {
            continue;
        }
        page.section(&format!("{title} ({})", all.len()));
        let states = status.map(|status| list(status, status_at)).unwrap_or_default();
        for container in all.iter().take(MAX) {
            let name = text(container, "/name");
            let state = states.iter().find(|state| text(state, "/name") == name);
            page.line(name);
            page.inside(|page| self::container(page, container, state));
        }
        if all.len() > MAX {
            page.line(&format!("and {} more", all.len() - MAX));
        }
    }
}

fn container(page: &mut Page, container: &Value, status: Option<&Value>) {
    page.fact("image", text(container, "/image"));
    if let Some(status) = status {
        let image = text(status, "/imageID");
        page.fact("image id", image.rsplit_once('@').map_or(image, |(_, digest)| digest));
        if let Some(state) = status.get("state") {
            page.fact("state", self::state(page, state));
        }
        if let Some(last) =
            status.get("lastState").filter(|last| last.as_object().is_some_and(|l| !l.is_empty()))
        {
            page.fact("last state", self::state(page, last));
        }
        if let Some(ready) = status.get("ready").and_then(Value::as_bool) {
            page.fact("ready", if ready { "yes" } else { "no" });
        }
        page.number("restarts", number(status, "/restartCount"));
    }
    page.fact("command", command(container));
    page.fact("ports", joined(list(container, "/ports"), port));
    page.fact("requests", amounts(container, "/resources/requests"));
    page.fact("limits", amounts(container, "/resources/limits"));
    for (name, at) in
        [("liveness", "/livenessProbe"), ("readiness", "/readinessProbe"), ("startup", "/startupProbe")]
    {
        if let Some(probe) = container.pointer(at).filter(|probe| probe.is_object()) {
            page.fact(name, self::probe(probe));
        }
    }
    // names only: values hold passwords more often than anybody admits
    page.fact("environment", lines(list(container, "/env"), environment));
    page.fact("environment of", lines(list(container, "/envFrom"), environment_of));
    page.fact("mounts", lines(list(container, "/volumeMounts"), mount));
}

/// Returns a container state in words: `running since …`, `waiting: CrashLoopBackOff, back-off 5m…`.
fn state(page: &Page, state: &Value) -> String {
    if let Some(running) = state.get("running") {
        return match time(running, "/startedAt") {
            Some(since) => format!("running since {}", page.moment(since)),
            None => "running".to_owned(),
        };
    }
    let with = |word: &str, of: &Value, extra: Vec<String>| {
        let parts = [text(of, "/reason").to_owned(), text(of, "/message").to_owned()];
        let parts: Vec<String> = parts.into_iter().chain(extra).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { word.to_owned() } else { format!("{word}: {}", parts.join(", ")) }
    };
    if let Some(waiting) = state.get("waiting") {
        return with("waiting", waiting, Vec::new());
    }
    let Some(ended) = state.get("terminated") else { return String::new() };
    let mut extra = Vec::new();
    if let Some(code) = number(ended, "/exitCode") {
        extra.push(format!("exit code {code}"));
    }
    if let Some(signal) = number(ended, "/signal").filter(|signal| *signal != 0) {
        extra.push(format!("signal {signal}"));
    }
    let (from, to) = (time(ended, "/startedAt"), time(ended, "/finishedAt"));
    if let Some(to) = to {
        let ran = from.map(|from| to.as_second() - from.as_second()).filter(|ran| *ran >= 0);
        let ran = ran.map(|ran| format!(" after {}", duration(ran))).unwrap_or_default();
        extra.push(format!("at {}{ran}", page.moment(to)));
    }
    with("ended", ended, extra)
}

/// Returns a length of time: `12s`, `3m 4s`, `2h 5m`, `3d 4h`.
pub fn duration(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

fn command(container: &Value) -> String {
    let words = list(container, "/command").iter().chain(list(container, "/args"));
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    words.join(" ")
}

fn port(port: &Value) -> String {
    let number = number(port, "/containerPort").unwrap_or(0);
    let protocol = Some(text(port, "/protocol")).filter(|p| !p.is_empty()).unwrap_or("TCP");
    match text(port, "/name") {
        "" => format!("{number}/{protocol}"),
        name => format!("{name} {number}/{protocol}"),
    }
}

/// Returns amounts: `cpu 100m, memory 64Mi`.
pub fn amounts(of: &Value, pointer: &str) -> String {
    let pairs = pairs(of, pointer);
    pairs.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
}

fn probe(probe: &Value) -> String {
    let what = if let Some(get) = probe.get("httpGet") {
        let scheme = Some(text(get, "/scheme")).filter(|s| !s.is_empty()).unwrap_or("HTTP").to_lowercase();
        format!("{scheme} :{}{}", plain(get.get("port")), text(get, "/path"))
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("tcp :{}", plain(socket.get("port")))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("grpc :{} {}", plain(grpc.get("port")), text(grpc, "/service"))
    } else {
        let words: Vec<&str> = list(probe, "/exec/command").iter().filter_map(Value::as_str).collect();
        format!("exec {}", words.join(" "))
    };
    // what the API server fills in when nothing is written
    let or = |name: &str, otherwise: i64| number(probe, name).unwrap_or(otherwise);
    format!(
        "{} · delay {}s, every {}s, timeout {}s, {} failures",
        what.trim_end(),
        or("/initialDelaySeconds", 0),
        or("/periodSeconds", 10),
        or("/timeoutSeconds", 1),
        or("/failureThreshold", 3)
    )
}

/// Returns a port that is a number or a name.
pub fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(value) => value.to_string(),
    }
}

fn environment(variable: &Value) -> String {
    let name = text(variable, "/name");
    let from = variable.get("valueFrom");
    let of = |at: &str, word: &str| {
        let key = from?.get(at)?;
        Some(format!("{name} (key `{}` of {word} `{}`)", text(key, "/key"), text(key, "/name")))
    };
    let field = || Some(format!("{name} (field `{}`)", text(from?.get("fieldRef")?, "/fieldPath")));
    let resource = || Some(format!("{name} (`{}`)", text(from?.get("resourceFieldRef")?, "/resource")));
    of("secretKeyRef", "secret")
        .or_else(|| of("configMapKeyRef", "config map"))
        .or_else(field)
        .or_else(resource)
        .unwrap_or_else(|| name.to_owned())
}

fn environment_of(source: &Value) -> String {
    let prefix = match text(source, "/prefix") {
        "" => String::new(),
        prefix => format!(", each with `{prefix}` in front"),
    };
    let of =
        |at: &str, word: &str| source.get(at).map(|of| format!("{word} `{}`{prefix}", text(of, "/name")));
    of("secretRef", "secret").or_else(|| of("configMapRef", "config map")).unwrap_or_default()
}

fn mount(mount: &Value) -> String {
    let flag = |at: &str| mount.pointer(at).and_then(Value::as_bool).unwrap_or(false);
    let read_only = if flag("/readOnly") { ", read only" } else { "" };
    let sub = match text(mount, "/subPath") {
        "" => String::new(),
        path => format!(" at `{path}`"),
    };
    format!("{} from {}{sub}{read_only}", text(mount, "/mountPath"), text(mount, "/name"))
}

fn joined(items: &[Value], each: impl Fn(&Value) -> String) -> String {
    items.iter().take(MAX).map(each).collect::<Vec<_>>().join(", ")
}

fn lines(items: &[Value], each: impl Fn(&Value) -> String) -> String {
    items.iter().take(MAX).map(each).collect::<Vec<_>>().join("\n")
}

/// Describes the volumes of a pod or template.
pub fn volumes(page: &mut Page, spec: &Value) {
    let all = list(spec, "/volumes");
    if all.is_empty() {
        return;
    }
    page.section("Volumes");
    for volume in all.iter().take(MAX) {
        page.fact(text(volume, "/name"), self::volume(volume));
    }
}

fn volume(volume: &Value) -> String {
    let Some(map) = volume.as_object() else { return String::new() };
    let Some((kind, of)) = map.iter().find(|(key, _)| *key != "name") else { return String::new() };
    let of_name = |at: &str| text(of, at).to_owned();
    match kind.as_str() {
        "configMap" => format!("config map `{}`", of_name("/name")),
        "secret" => format!("secret `{}`", of_name("/secretName")),
        "persistentVolumeClaim" => format!("claim `{}`", of_name("/claimName")),
        "emptyDir" => {
            let limit = of_name("/sizeLimit");
            let limit = if limit.is_empty() { limit } else { format!(", at most {limit}") };
            format!("empty folder, gone with the pod{limit}")
        }
        "hostPath" => format!("folder of the node `{}`", of_name("/path")),
        "projected" => {
            let sources = list(of, "/sources").iter();
            let kinds: Vec<&str> =
                sources.filter_map(|s| s.as_object()?.keys().next()).map(String::as_str).collect();
            format!("projected: {}", kinds.join(", "))
        }
        "csi" => format!("csi `{}`", of_name("/driver")),
        "nfs" => format!("nfs `{}:{}`", of_name("/server"), of_name("/path")),
        other => other.to_owned(),
    }
}

/// Describes the conditions of a status: those that are not as they should be say why.
pub fn conditions(page: &mut Page, object: &Value) {
    let all = list(object, "/status/conditions");
    if all.is_empty() {
        return;
    }
    page.section("Conditions");
    for condition in all.iter().take(MAX) {
        let mut words = vec![text(condition, "/status").to_owned()];
        if let Some(since) = time(condition, "/lastTransitionTime") {
            words.push(format!("since {}", page.moment(since)));
        }
        words.push(text(condition, "/reason").to_owned());
        words.retain(|word| !word.is_empty());
        let message = text(condition, "/message");
        let break_ = if message.is_empty() { "" } else { "\n" };
        page.fact(text(condition, "/type"), format!("{}{break_}{message}", words.join("  ")));
    }
}

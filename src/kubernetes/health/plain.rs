//! What Kubernetes says, in plain words.

use crate::kubernetes::object::Condition;

/// Says why a container waits for its image, out of what the puller answered.
pub fn image(reason: &str, message: &str) -> String {
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let cause = if reason == "InvalidImageName" {
        "the name of the image is not a valid one"
    } else if reason == "ErrImageNeverPull" {
        "the node does not have the image, and the pod forbids pulling it"
    } else if says(&["unauthorized", "authentication required", "denied", "forbidden", "no basic auth"]) {
        // Registries answer so for what is not there, too, when nobody is signed in.
        "the registry wants a login that the pod does not have, or the image does not exist"
    } else if says(&["not found", "manifest unknown", "does not exist", "no such image"]) {
        "the registry has no image of that name and tag"
    } else if says(&["toomanyrequests", "rate limit", "too many requests", "429"]) {
        "the registry refuses for now: too many pulls"
    } else if says(&["x509", "certificate", "tls:"]) {
        "the node does not trust the registry's certificate"
    } else if says(&["no such host", "timeout", "timed out", "refused", "unreachable", "eof", "dial tcp"]) {
        "the node does not reach the registry"
    } else if says(&["no space left"]) {
        "the node's disk is full"
    } else {
        "the image could not be pulled"
    };
    cause.to_owned()
}

/// Says why no node takes a pod, out of the scheduler's message: `0/3 nodes are available: 2 Insufficient cpu, …`.
pub fn unschedulable(message: &str) -> String {
    // What preemption would do follows after the reasons and repeats them.
    let reasons = message.split_once(" preemption:").map_or(message, |(reasons, _)| reasons);
    let Some((head, reasons)) = reasons.split_once(": ") else { return sentence(message) };
    let total = head.trim_start_matches("0/").split(' ').next().unwrap_or_default();
    let said: Vec<String> = split_reasons(reasons).into_iter().map(|reason| one_reason(&reason)).collect();
    if said.is_empty() {
        return sentence(message);
    }
    let nodes = if total == "1" { "the only node".to_owned() } else { format!("none of {total} nodes") };
    let verb = if total == "1" { "does not take" } else { "takes" };
    format!("{nodes} {verb} it: {}", said.join(", "))
}

/// Splits at commas outside braces; taints stand in braces and may hold commas.
fn split_reasons(text: &str) -> Vec<String> {
    let mut reasons = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ',' if depth <= 0 => {
                reasons.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = reasons.last_mut() {
            last.push(c);
        }
    }
    let trimmed = |reason: String| reason.trim().trim_end_matches('.').to_owned();
    // Older schedulers end the reason of a taint with a clause after a comma.
    let is_reason = |reason: &String| !reason.is_empty() && !reason.starts_with("that the pod");
    reasons.into_iter().map(trimmed).filter(is_reason).collect()
}

fn one_reason(reason: &str) -> String {
    let (count, what) = match reason.split_once(' ') {
        Some((count, what)) if count.bytes().all(|byte| byte.is_ascii_digit()) => (count, what),
        _ => return reason.to_owned(),
    };
    let (one, many) = if count == "1" { ("has", "is") } else { ("have", "are") };
    if let Some(resource) = what.strip_prefix("Insufficient ") {
        return format!("{count} {one} too little free {resource}");
    }
    if what == "Too many pods" {
        return format!("{count} {one} as many pods as fit");
    }
    if let Some((_, taint)) =
        what.split_once("had untolerated taint ").or_else(|| what.split_once("had taint "))
    {
        let taint = taint.split_once('}').map_or(taint, |(taint, _)| taint).trim_start_matches('{');
        return format!(
            "{count} {one} the taint {} which it does not tolerate",
            taint.trim_end_matches(": ")
        );
    }
    if what.contains("unschedulable") {
        return format!("{count} {many} cordoned");
    }
    if what.contains("node selector") || what.contains("node affinity") {
        return format!("{count} {one} other labels than it asks for");
    }
    if what.contains("anti-affinity") {
        return format!("{count} {one} a pod beside which it must not run");
    }
    if what.contains("pod affinity") {
        return format!("{count} {one} no pod beside which it must run");
    }
    if what.contains("free ports") {
        return format!("{count} {one} no free port of the one it wants");
    }
    if what.contains("volume node affinity") || what.contains("volume") {
        return format!("{count} cannot reach its volume ({what})");
    }
    reason.to_owned()
}

/// Says what a condition that is not true means; empty where its own message says it all.
pub fn condition(condition: &Condition) -> String {
    let cause = match (&*condition.name, &*condition.reason) {
        ("Progressing", "ProgressDeadlineExceeded") => {
            "new pods did not become ready in the time that is allowed"
        }
        ("Available", "MinimumReplicasUnavailable") => "fewer pods are ready than the deployment must have",
        ("ReplicaFailure", _) => {
            "its pods cannot be made: a quota, a policy or an admission check refuses them"
        }
        (_, "FailedCreate") => "its pods cannot be made",
        (_, "NewReplicaSetCreateError") => "its replica set cannot be made",
        (_, "DeploymentPaused") => "the rollout is held",
        _ => "",
    };
    cause.to_owned()
}

/// Says why a job is given up.
pub fn job(reason: &str, backoff_limit: Option<i32>) -> String {
    match reason {
        "BackoffLimitExceeded" => {
            let tries = backoff_limit.unwrap_or(6);
            format!("its pods failed more often than it may try again ({tries} times)")
        }
        "DeadlineExceeded" => "it took longer than it may".to_owned(),
        "PodFailurePolicy" => "a pod ended in a way that its policy calls a failure".to_owned(),
        _ => String::new(),
    }
}

/// Says what an exit code or signal means.
pub fn exit(code: i32, signal: Option<i32>) -> String {
    let signal = signal.or_else(|| (code > 128 && code < 160).then(|| code - 128));
    let meaning = match (code, signal) {
        (_, Some(9)) => " (killed)",
        (_, Some(15)) => " (asked to stop)",
        (_, Some(11)) => " (segmentation fault)",
        (_, Some(6)) => " (aborted)",
        (126, _) => " (the command cannot be run)",
        (127, _) => " (the command is not there)",
        _ => "",
    };
    format!("exit code {code}{meaning}")
}

/// Returns a text with its first letter as it is and without its final stop.
fn sentence(text: &str) -> String {
    text.trim().trim_end_matches('.').to_owned()
}

/// Says bytes as people do: `256 MiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn bytes(bytes: u64) -> String {
    const UNITS: &[(&str, u64)] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, size)| bytes >= *size);
    let Some((unit, size)) = unit else { return format!("{bytes} B") };
    let amount = bytes as f64 / *size as f64;
    let text = format!("{amount:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheduler_in_plain_words() {
        let cases = [
            (
                "0/3 nodes are available: 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate, 2 Insufficient cpu.",
                "none of 3 nodes takes it: 1 has the taint dedicated: gpu which it does not tolerate, 2 have too little free cpu",
            ),
            (
                "0/1 nodes are available: 1 Insufficient memory.",
                "the only node does not take it: 1 has too little free memory",
            ),
            (
                "0/2 nodes are available: 1 node(s) had untolerated taint {a: b}, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
                "none of 2 nodes takes it: 1 has the taint a: b which it does not tolerate, 1 is cordoned",
            ),
            (
                "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector.",
                "none of 5 nodes takes it: 5 have other labels than it asks for",
            ),
            ("no nodes available to schedule pods", "no nodes available to schedule pods"),
            ("", ""),
            (": ", ":"),
        ];
        for (message, expected) in cases {
            assert_eq!(unschedulable(message), expected, "{message}");
        }
    }

    #[test]
    fn the_puller_in_plain_words() {
        let cases = [
            (
                "ErrImagePull",
                "rpc error: manifest for x:missing not found: manifest unknown",
                "no image of that name",
            ),
            ("ErrImagePull", "pull access denied for x, repository does not exist", "wants a login"),
            ("ErrImagePull", "Get https://x/v2/: dial tcp: lookup x: no such host", "does not reach"),
            ("ErrImagePull", "toomanyrequests: You have reached your pull rate limit", "too many pulls"),
            ("InvalidImageName", "", "not a valid one"),
            ("ErrImagePull", "", "could not be pulled"),
        ];
        for (reason, message, expected) in cases {
            assert!(image(reason, message).contains(expected), "{message}: {}", image(reason, message));
        }
    }

    #[test]
    fn sizes_are_short() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (64 << 20, "64 MiB"), (1_610_612_736, "1.5 GiB")];
        for (amount, expected) in cases {
            assert_eq!(bytes(amount), expected);
        }
    }

    #[test]
    fn exit_codes_are_explained() {
        let cases = [
            (1, "exit code 1"),
            (137, "exit code 137 (killed)"),
            (127, "exit code 127 (the command is not there)"),
        ];
        for (code, expected) in cases {
            assert_eq!(exit(code, None), expected);
        }
    }
}

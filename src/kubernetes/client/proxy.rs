//! Which proxy stands before a cluster, by the environment, as kubectl reads it.

use http::Uri;
use std::net::IpAddr;

/// Returns the proxy of the environment for an address; never one for this machine itself.
pub fn from_environment(url: &Uri) -> Option<Uri> {
    let read = |names: [&str; 2]| {
        names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    };
    let names = if url.scheme_str() == Some("http") {
        ["HTTP_PROXY", "http_proxy"]
    } else {
        ["HTTPS_PROXY", "https_proxy"]
    };
    let proxy = read(names)?;
    let no_proxy = read(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    if is_direct(url, &no_proxy) {
        return None;
    }
    let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    proxy.parse().ok()
}

/// Returns whether an address is reached without a proxy.
fn is_direct(url: &Uri, no_proxy: &str) -> bool {
    let host = url.host().unwrap_or("").trim_matches(['[', ']']).to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    no_proxy.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let (Some(ip), Some((net, bits))) = (ip, entry.split_once('/')) {
            return is_in_net(ip, net, bits);
        }
        let (name, wanted_port) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
            _ => (entry.as_str(), None),
        };
        let name = name.strip_prefix('*').unwrap_or(name);
        let is_port = wanted_port.is_none_or(|wanted| wanted == port);
        let domain = name.strip_prefix('.');
        let is_name = match domain {
            Some(domain) => host.ends_with(name) && !domain.is_empty(),
            None => host == name || (ip.is_none() && host.ends_with(&format!(".{name}"))),
        };
        !name.is_empty() && is_port && is_name
    })
}

fn is_in_net(ip: IpAddr, net: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (ip, net.parse()) {
        (IpAddr::V4(ip), Ok(IpAddr::V4(net))) if bits <= 32 => {
            (u32::from(ip) ^ u32::from(net)).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), Ok(IpAddr::V6(net))) if bits <= 128 => {
            (u128::from(ip) ^ u128::from(net)).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_matched_against_the_cluster() {
        let cases = [
            ("https://127.0.0.1:6443", "", true),
            ("https://localhost", "", true),
            ("https://[::1]:6443", "", true),
            ("https://api.corp.test", "", false),
            ("https://api.corp.test", "*", true),
            ("https://api.corp.test", "corp.test", true),
            ("https://api.corp.test", ".corp.test", true),
            ("https://api.corp.test", "*.corp.test", true),
            ("https://corp.test", ".corp.test", false),
            ("https://evilcorp.test", "corp.test", false),
            ("https://10.1.2.3:6443", "10.0.0.0/8", true),
            ("https://11.1.2.3:6443", "10.0.0.0/8, other", false),
            ("https://10.1.2.3:6443", "10.1.2.3", true),
            ("https://10.1.2.3:6443", "10.1.2.3:443", false),
            ("https://10.1.2.3:6443", "0.0.0.0/0", true),
        ];
        for (url, no_proxy, expected) in cases {
            assert_eq!(is_direct(&url.parse().unwrap(), no_proxy), expected, "{url} {no_proxy}");
        }
    }
}

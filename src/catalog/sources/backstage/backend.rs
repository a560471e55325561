//! The way to one backend: where its API is, who asks, and what its refusals mean.

use crate::catalog::sources::{RefreshContext, SourceError};
use crate::config::secret::Secret;
use crate::net::{Answer, Api, Auth, NetError, Request};
use reqwest::header::{HeaderValue, IF_NONE_MATCH};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Longest time for one page, unless configured: a busy server takes its time for five hundred entities.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Largest answer: a page of entities with long definitions, or a whole catalog of an old server.
const MAX_ANSWER: u64 = 256 * 1024 * 1024;
/// Largest part of an app's page that is looked through for the address of the backend.
const MAX_PAGE: usize = 1024 * 1024;

/// A backend that can be asked.
#[derive(Debug)]
pub(super) struct Backend<'a> {
    api: Api<'a>,
    /// As it is shown.
    place: String,
    credential: Credential,
}

/// How the person is known to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credential {
    None,
    Guest,
    Token,
}

impl<'a> Backend<'a> {
    /// Finds the API and signs in.
    pub(super) fn connect(url: &Url, place: &str, cx: &'a RefreshContext<'a>) -> Result<Self, SourceError> {
        let base = base_of(url);
        let (auth, credential) = match (cx.token()?, cx.config.guest) {
            (Some(token), _) => (Auth::Bearer(token), Credential::Token),
            (None, true) => (Auth::None, Credential::Guest),
            (None, false) => (Auth::None, Credential::None),
        };
        let mut api = cx.api(base, auth);
        api.timeout = api.timeout.or(Some(TIMEOUT));
        api.max_bytes = Some(MAX_ANSWER);
        let mut backend = Self { api, place: place.to_owned(), credential };
        if credential == Credential::Guest {
            backend.sign_in_as_guest()?;
        }
        Ok(backend)
    }

    fn sign_in_as_guest(&mut self) -> Result<(), SourceError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Session {
            backstage_identity: Identity,
        }
        #[derive(Deserialize)]
        struct Identity {
            token: String,
        }
        let address = self.address("api/auth/guest/refresh");
        let answer = self.get(address, None).map_err(|error| match error {
            NetError::Status { status: 404 | 405, .. } => self.refused(
                "it lets no guests in".to_owned(),
                "take `guest = true` out of the source and set a `token`; guests are for development",
            ),
            error => self.explain(error),
        })?;
        let session: Session = answer.json().map_err(|error| self.not_json(&answer, error))?;
        self.api.auth = Auth::Bearer(Secret::new(session.backstage_identity.token));
        Ok(())
    }

    /// Returns an address below the backend.
    pub(super) fn address(&self, path: &str) -> Url {
        let mut url = self.api.base.clone();
        url.set_path(&format!("{}{path}", self.api.base.path()));
        url.set_query(None);
        url
    }

    /// Returns host and port.
    pub(super) fn host(&self) -> String {
        let base = &self.api.base;
        let host = base.host_str().unwrap_or_default();
        base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Gets an address; with a validator the answer may be 304 without a body.
    pub(super) fn get(&self, url: Url, validator: Option<&str>) -> Result<Answer, NetError> {
        let mut request = Request::get(url).once();
        if let Some(value) = validator.and_then(|text| HeaderValue::from_str(text).ok()) {
            request.headers.insert(IF_NONE_MATCH, value);
        }
        self.api.send(request)
    }

    /// Posts JSON that only asks for something.
    pub(super) fn ask(&self, path: &str, body: &serde_json::Value) -> Result<Answer, NetError> {
        self.api.query(self.address(path).as_str(), body)
    }

    /// Posts JSON that changes something.
    pub(super) fn post(&self, path: &str, body: &serde_json::Value) -> Result<Answer, NetError> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.address(path);
        url.set_query(query);
        self.api.post(url.as_str(), body)
    }

    /// Puts an error of the network in words that say what to do.
    pub(super) fn explain(&self, error: NetError) -> SourceError {
        self.explain_for(error, "catalog.entity.read")
    }

    /// As [`Self::explain`], for something that needs a permission.
    pub(super) fn explain_for(&self, error: NetError, permission: &str) -> SourceError {
        let NetError::Status { status, .. } = &error else {
            return match error {
                NetError::Cancelled { .. } => SourceError::Cancelled,
                error => SourceError::Net { place: self.place.clone(), error },
            };
        };
        match (status, self.credential) {
            (401, Credential::None) => self.refused(
                error.to_string(),
                "set `token = { env = \"…\" }` in the source; whoever runs the portal can make one (`backend.auth.externalAccess`)",
            ),
            (401, Credential::Token) => self.refused(
                error.to_string(),
                "the token is wrong or has expired: one copied from a browser lasts an hour, ask whoever runs the portal for a static one (`backend.auth.externalAccess`)",
            ),
            (401, Credential::Guest) => self.refused(
                error.to_string(),
                "guests may not read here: set a `token` in place of `guest = true`",
            ),
            (403, _) => self.refused(
                error.to_string(),
                &format!(
                    "whoever runs the portal can allow it: permission `{permission}`, and `accessRestrictions` of the token"
                ),
            ),
            _ => SourceError::Net { place: self.place.clone(), error },
        }
    }

    fn refused(&self, cause: String, hint: &str) -> SourceError {
        SourceError::Refused { place: self.place.clone(), cause, hint: hint.to_owned() }
    }

    /// Says what came in place of JSON.
    pub(super) fn not_json(&self, answer: &Answer, error: NetError) -> SourceError {
        if !is_page(&answer.body) {
            return SourceError::Net { place: self.place.clone(), error };
        }
        match backend_named_in(&answer.body).filter(|named| base_of(named) != self.api.base) {
            Some(named) => SourceError::BadSetting {
                setting: "url",
                cause: format!("it is the address of the app; write `url = \"{named}\"`, where its backend is"),
            },
            None => self.refused(
                "a page for people to sign in came in place of data".to_owned(),
                "something before the portal wants a browser: set a `token` that it lets through, or use an address behind it",
            ),
        }
    }

    /// Says that there is no catalog, or where it is.
    pub(super) fn no_catalog(&self, error: &NetError) -> SourceError {
        if let Ok(answer) = self.get(self.api.base.clone(), None)
            && let Some(named) =
                backend_named_in(&answer.body).filter(|named| base_of(named) != self.api.base)
        {
            return SourceError::BadSetting {
                setting: "url",
                cause: format!(
                    "it is the address of the app; write `url = \"{named}\"`, where its backend is"
                ),
            };
        }
        SourceError::Unreadable {
            place: self.place.clone(),
            cause: format!("there is no Backstage catalog ({error})"),
            hint: Some("`url` is the `backend.baseUrl` of the portal's app-config.yaml".to_owned()),
        }
    }
}

/// Returns the base that paths are appended to: ends with a slash, says nothing of the API.
fn base_of(url: &Url) -> Url {
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/catalog").filter(|rest| rest.ends_with("/api")).unwrap_or(path);
    let path = path.strip_suffix("/api").unwrap_or(path);
    base.set_path(&format!("{path}/"));
    base
}

/// Returns whether a body is a page and no data.
fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Finds `backend.baseUrl` in the configuration that the page of an app carries.
fn backend_named_in(page: &[u8]) -> Option<Url> {
    let page = String::from_utf8_lossy(page.get(..page.len().min(MAX_PAGE))?);
    let (_, rest) = page.split_once("type=\"backstage.io/config\"")?;
    let (_, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once("</script>")?;
    let config: serde_json::Value = serde_json::from_str(text.trim()).ok()?;
    let layers = config.as_array().map_or(&[][..], Vec::as_slice);
    let named = layers.iter().rev().find_map(|layer| layer.pointer("/data/backend/baseUrl")?.as_str())?;
    Url::parse(named).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_address_people_have_leads_to_the_base() {
        let cases = [
            ("https://p.example.com", "https://p.example.com/"),
            ("https://p.example.com/", "https://p.example.com/"),
            ("https://p.example.com/portal", "https://p.example.com/portal/"),
            ("https://p.example.com/api/catalog/", "https://p.example.com/"),
            ("https://p.example.com/x/api?a=1#b", "https://p.example.com/x/"),
            ("https://p.example.com/catalog", "https://p.example.com/catalog/"),
        ];
        for (given, base) in cases {
            assert_eq!(base_of(&Url::parse(given).unwrap()).as_str(), base, "{given}");
        }
    }

    #[test]
    fn the_page_of_an_app_names_its_backend() {
        let page = br#"<html><script type="backstage.io/config">[{"context":"a","data":{"backend":{"baseUrl":"http://localhost:7007"}}}]</script>"#;
        assert_eq!(backend_named_in(page).unwrap().as_str(), "http://localhost:7007/");
        for page in [
            "<html>",
            "<script type=\"backstage.io/config\">{",
            "<script type=\"backstage.io/config\">[]</script>",
        ] {
            assert_eq!(backend_named_in(page.as_bytes()), None, "{page}");
        }
    }
}

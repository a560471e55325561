//! Answers that are kept, so that an unchanged one costs a 304.
//!
//! A kept answer is only ever handed out after the server, asked with the credential of now, said that
//! it did not change; so a credential that is replaced often (an hourly token) loses nothing, and one
//! that may not read any more gets nothing. Names of servers and secrets are in no key.

use super::api::{Answer, Auth};
use super::error::{NetError, host_of};
use super::exchange::Reply;
use super::{Request, body};
use crate::store::kept::Kept;
use reqwest::header::{
    ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, SET_COOKIE,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// Bodies from this size on are packed.
const PACK_FROM: usize = 4 * 1024;
/// Larger bodies are read anew each time.
const MAX_KEPT: usize = 64 * 1024 * 1024;
/// First byte of a record, raised when its form changes.
const VERSION: u8 = 1;

/// The place of one answer among what is kept, and what is there.
#[derive(Debug)]
pub(super) struct Memory {
    key: String,
    before: Option<Before>,
}

/// An answer as it was kept.
#[derive(Debug)]
struct Before {
    head: Head,
    record: Arc<[u8]>,
    body_at: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    url: String,
    headers: Vec<(String, String)>,
    packed: bool,
    size: u64,
}

impl Memory {
    /// Looks up a request; `None` when its answer is not one to keep.
    pub(super) fn recall(kept: &Kept, request: &Request, auth: Option<&Auth>) -> Option<Self> {
        if request.method != reqwest::Method::GET || !request.keep {
            return None;
        }
        let key = key(request, auth);
        let before = kept.get(&key).and_then(Before::decode);
        Some(Self { key, before })
    }

    /// Makes a request conditional, if there is something to compare with.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        let Some(before) = &self.before else { return };
        for (told, asked) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            if let Some(value) = before.header(&told) {
                headers.insert(asked, value);
            }
        }
    }

    /// Takes the answer in: gives the kept one when it is unchanged, keeps it otherwise.
    pub(super) fn finish(self, kept: &Kept, reply: Reply) -> Result<Answer, NetError> {
        if reply.status == 304 {
            let host = host_of(&reply.url);
            let answer = self.before.and_then(|before| before.answer(&reply.headers));
            return answer.ok_or_else(|| {
                // the next request is not conditional and gets all of it
                kept.remove(&self.key);
                NetError::Broken {
                    host,
                    cause: "it is said to be unchanged, but what was kept is lost".into(),
                }
            });
        }
        if is_worth_keeping(&reply) {
            if let Some(record) = encode(&reply) {
                kept.put(&self.key, &record);
            }
        } else if self.before.is_some() {
            kept.remove(&self.key);
        }
        Ok(plain(reply))
    }
}

/// An answer as it came.
pub(super) fn plain(reply: Reply) -> Answer {
    let Reply { url, status, headers, body } = reply;
    Answer { url, status, headers, body: body.into(), unchanged: false, signed_in: false }
}

fn key(request: &Request, auth: Option<&Auth>) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("devportal kept answer 1");
    let accept = request.headers.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
    let identity = match auth {
        None | Some(Auth::None) => String::new(),
        Some(Auth::Bearer(_)) => "bearer".to_owned(),
        Some(Auth::Token(_)) => "token".to_owned(),
        Some(Auth::Basic(name, _)) => format!("basic {name}"),
        Some(Auth::Header(name, _)) => format!("header {name}"),
    };
    for part in
        [request.method.as_str().as_bytes(), request.url.as_str().as_bytes(), accept, identity.as_bytes()]
    {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let hex = hasher.finalize().to_hex();
    format!("{}{}", Kept::ANSWERS, hex.get(..32).unwrap_or_default())
}

fn is_worth_keeping(reply: &Reply) -> bool {
    let has_validator = reply.headers.contains_key(ETAG) || reply.headers.contains_key(LAST_MODIFIED);
    let forbidden = reply
        .headers
        .get_all(CACHE_CONTROL)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("no-store")));
    reply.status == 200 && has_validator && !forbidden && reply.body.len() <= MAX_KEPT
}

fn encode(reply: &Reply) -> Option<Vec<u8>> {
    let packed = if reply.body.len() >= PACK_FROM { body::pack(&reply.body) } else { None };
    let mut url = reply.url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = reply.headers.iter().filter(|(name, _)| *name != SET_COOKIE).filter_map(text).collect();
    let head = Head { url: url.into(), headers, packed: packed.is_some(), size: reply.body.len() as u64 };
    let head = serde_json::to_vec(&head).ok()?;
    let body = packed.as_ref().unwrap_or(&reply.body);
    let mut out = Vec::with_capacity(head.len() + body.len() + 5);
    out.push(VERSION);
    out.extend_from_slice(&u32::try_from(head.len()).ok()?.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(body);
    Some(out)
}

impl Before {
    fn decode(record: Arc<[u8]>) -> Option<Self> {
        let (version, rest) = record.split_first()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let head = rest.get(..length).filter(|_| *version == VERSION)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        Some(Self { head, body_at: 5 + length, record })
    }

    fn header(&self, name: &HeaderName) -> Option<HeaderValue> {
        let (_, value) = self.head.headers.iter().find(|(known, _)| known == name.as_str())?;
        value.parse().ok()
    }

    /// The answer as it was, with the headers that the server sent anew.
    fn answer(self, news: &HeaderMap) -> Option<Answer> {
        let body = self.record.get(self.body_at..)?;
        let body: Arc<[u8]> =
            if self.head.packed { body::unpack(body, self.head.size)?.into() } else { body.into() };
        if body.len() as u64 != self.head.size {
            return None;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.head.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                headers.append(name, value);
            }
        }
        for (name, value) in news {
            headers.insert(name.clone(), value.clone());
        }
        let url = Url::parse(&self.head.url).ok()?;
        Some(Answer { url, status: 200, headers, body, unchanged: true, signed_in: false })
    }
}

//! stub
use super::action::{ActionError, Workbench};
use super::source::Item;
use url::Url;
/// x
pub fn folder(url: &Url, _: Option<&str>, _: &mut dyn Workbench) -> Result<Vec<Item>, ActionError> {
    Err(ActionError::new(url.to_string()))
}
/// x
pub fn file(url: &Url, _: Option<&str>, _: &mut dyn Workbench) -> Result<Item, ActionError> {
    Err(ActionError::new(url.to_string()))
}

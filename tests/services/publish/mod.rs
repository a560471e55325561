//! Publishing to forges: real protocol against scripted ones, `git push` included.

mod bench;
mod forges;
mod github;
mod requests;
mod server;

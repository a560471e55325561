//! Publishing to forges: real protocol against scripted ones, `git push` included.

mod bench;
mod github;
mod server;

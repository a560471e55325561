//! The demo world: servers inside the process that speak what real ones speak, over a scripted company.
//!
//! Nothing here is known to the rest of the program as anything but a server on this machine: the portal reaches
//! it through the same settings, files and clients as any other. Start at [`kubernetes`].

pub mod kubernetes;

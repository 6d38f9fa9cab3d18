//! Secret managers on a network, as sources of [`doppio_secrets`]: one folder a service, one cargo
//! feature each.
//!
//! [`STORES`] lists those of this build; whoever makes a ladder hands them over.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "kubernetes"))]
mod http;
#[cfg(feature = "kubernetes")]
mod kubernetes;
pub mod ping;
#[cfg(feature = "vault")]
mod vault;

use doppio_secrets::source::RemoteSource;

/// The stores of this build, in the order in which help lists them.
pub static STORES: &[RemoteSource] = &[
    #[cfg(feature = "aws")]
    aws::MANAGER,
    #[cfg(feature = "aws")]
    aws::PARAMETERS,
    #[cfg(feature = "azure")]
    azure::SOURCE,
    #[cfg(feature = "gcp")]
    gcp::SOURCE,
    #[cfg(feature = "kubernetes")]
    kubernetes::SOURCE,
    #[cfg(feature = "vault")]
    vault::SOURCE,
];

/// The stores that this build left out: the scheme of each, and the cargo feature that it needs.
pub static LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(feature = "aws"))]
    ("aws", "aws"),
    #[cfg(not(feature = "aws"))]
    ("ssm", "aws"),
    #[cfg(not(feature = "azure"))]
    ("azure", "azure"),
    #[cfg(not(feature = "gcp"))]
    ("gcp", "gcp"),
    #[cfg(not(feature = "kubernetes"))]
    ("kubernetes", "kubernetes"),
    #[cfg(not(feature = "vault"))]
    ("vault", "vault"),
];

//! What a plugin says about itself.

use serde::{Deserialize, Serialize};

/// `openclaw.plugin.json`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The id, as in `plugins.entries`.
    pub id: String,
    /// The name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// The version.
    #[serde(default)]
    pub version: Option<String>,
    /// The channels it brings.
    #[serde(default)]
    pub channels: Vec<String>,
    /// How this program runs it; a package without it runs in OpenClaw only.
    #[serde(default)]
    pub hongyan: Option<HongyanKey>,
}

/// The key `hongyan` of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HongyanKey {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The version of the contract that it speaks.
    pub contract: u32,
    /// The lowest version of this program that it asks for, as `>=x.y.z`.
    #[serde(default)]
    pub min_host_version: Option<String>,
}

//! The fields of vast.ai's offers that a query may name.

/// All of them, by the documentation of `vastai search offers` 1.9.1.
pub(super) const FIELDS: &[&str] = &[
    "bw_nvlink",
    "cluster_id",
    "compute_cap",
    "cpu_arch",
    "cpu_cores",
    "cpu_cores_effective",
    "cpu_ghz",
    "cpu_ram",
    "cuda_max_good",
    "datacenter",
    "direct_port_count",
    "disk_bw",
    "disk_space",
    "dlperf",
    "dlperf_per_dphtotal",
    "dph_total",
    "driver_version",
    "duration",
    "external",
    "flops_per_dphtotal",
    "geolocation",
    "gpu_arch",
    "gpu_display_active",
    "gpu_frac",
    "gpu_max_power",
    "gpu_max_temp",
    "gpu_mem_bw",
    "gpu_name",
    "gpu_ram",
    "gpu_total_ram",
    "has_avx",
    "host_id",
    "id",
    "inet_down",
    "inet_down_cost",
    "inet_up",
    "inet_up_cost",
    "machine_id",
    "min_bid",
    "mobo_name",
    "num_gpus",
    "pci_gen",
    "pcie_bw",
    "reliability",
    "reliability2",
    "rentable",
    "rented",
    "score",
    "static_ip",
    "storage_cost",
    "total_flops",
    "ubuntu_version",
    "verification",
    "verified",
    "vms_enabled",
];

/// Shorter names, and Doppio's own for sorting.
const ALIASES: &[(&str, &str)] = &[
    ("cuda_vers", "cuda_max_good"),
    ("display_active", "gpu_display_active"),
    ("dlperf_usd", "dlperf_per_dphtotal"),
    ("dph", "dph_total"),
    ("flops_usd", "flops_per_dphtotal"),
    ("price", "dph_total"),
    ("gpus", "num_gpus"),
    ("gpu", "gpu_name"),
    ("disk", "disk_space"),
];

/// Fields that people write in GB or days, and the API has in MB or seconds.
const FACTORS: &[(&str, f64)] =
    &[("cpu_ram", 1000.0), ("gpu_ram", 1000.0), ("gpu_total_ram", 1000.0), ("duration", 86_400.0)];

/// The field that a name stands for.
pub(super) fn field(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, field)| field)
}

/// All names of fields.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().copied().chain(ALIASES.iter().map(|(alias, _)| *alias))
}

/// What a number in a query is multiplied by.
pub(super) fn factor(field: &str) -> Option<f64> {
    FACTORS.iter().find(|(known, _)| *known == field).map(|(_, factor)| *factor)
}

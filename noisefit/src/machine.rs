//! What the machine has: how much a fit may take before it is better refused than begun.

/// Memory where nothing tells how much there is.
const UNKNOWN: u64 = 8 << 30;

/// Bytes of memory that this process can still take: what the machine has free, and what its control group and its limits let
/// it have. On systems that do not tell, 8 GiB.
pub(crate) fn memory() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let free = read("/proc/meminfo").and_then(|text| kibibytes(&text, "MemAvailable:"));
    let own = read("/proc/self/status");
    let taken = |name: &str| own.as_deref().and_then(|text| kibibytes(text, name)).unwrap_or(0);
    let space = read("/proc/self/limits").and_then(|text| limit(&text, "Max address space"));
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse::<u64>().ok());
    let used = read("/sys/fs/cgroup/memory.current").and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    let left = [
        free,
        space.map(|space| space.saturating_sub(taken("VmSize:"))),
        group.map(|group| group.saturating_sub(used)),
    ];
    left.into_iter().flatten().min().unwrap_or(UNKNOWN)
}

/// `name  123 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// `name  soft  hard  bytes`; none where it is unlimited.
fn limit(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_are_read() {
        assert_eq!(kibibytes("MemTotal: 9 kB\nMemAvailable:   12 kB\n", "MemAvailable:"), Some(12 << 10));
        assert_eq!(kibibytes("", "MemAvailable:"), None);
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax address space         1000000    unlimited    bytes\n";
        assert_eq!(limit(limits, "Max address space"), Some(1_000_000));
        assert_eq!(limit("Max address space unlimited unlimited bytes\n", "Max address space"), None);
        assert!(memory() > 1 << 20);
    }
}

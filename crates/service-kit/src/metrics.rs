//! Prometheus metrics: one registry for each service of each house.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, text::encode},
    metrics::{MetricType, counter::ConstCounter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};

/// Bounds in seconds, from a cached read to the longest deadline.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A family of latency histograms.
pub type Latencies<L> = Family<L, Histogram, fn() -> Histogram>;

/// Values with their labels, read when the metrics are.
pub type Samples = Vec<(Vec<(&'static str, String)>, f64)>;

/// A registry. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Metrics {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers latency histograms in seconds. `name` ends in `_seconds`.
    pub fn latencies<L>(&self, name: &'static str, help: &'static str) -> Latencies<L>
    where
        L: Clone + std::hash::Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static,
    {
        let family = Latencies::<L>::new_with_constructor(|| Histogram::new(SECONDS));
        self.with(|registry| registry.register(name, help, family.clone()));
        family
    }

    /// Registers a gauge that is read when the metrics are.
    pub fn gauge(&self, name: &'static str, help: &'static str, read: impl Fn() -> Samples + Send + Sync + 'static) {
        self.sampled(name, help, MetricType::Gauge, read);
    }

    /// Registers a counter that is read when the metrics are. `_total` is added to its name.
    pub fn counter(&self, name: &'static str, help: &'static str, read: impl Fn() -> Samples + Send + Sync + 'static) {
        self.sampled(name, help, MetricType::Counter, read);
    }

    /// All metrics in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.with(|registry| encode(&mut text, registry));
        text
    }

    fn sampled(
        &self,
        name: &'static str,
        help: &'static str,
        kind: MetricType,
        read: impl Fn() -> Samples + Send + Sync + 'static,
    ) {
        let sampled = Sampled {
            name,
            help,
            kind,
            read: Box::new(read),
        };
        self.with(|registry| registry.register_collector(Box::new(sampled)));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Registry) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Sampled {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    read: Box<dyn Fn() -> Samples + Send + Sync>,
}

impl std::fmt::Debug for Sampled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Sampled").field(&self.name).finish()
    }
}

impl Collector for Sampled {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, self.kind)?;
        let samples = (self.read)();
        if let [(labels, value)] = &samples[..]
            && labels.is_empty()
        {
            return put(self.kind, *value, family);
        }
        samples
            .iter()
            .try_for_each(|(labels, value)| put(self.kind, *value, family.encode_family(labels)?))
    }
}

fn put(kind: MetricType, value: f64, encoder: MetricEncoder) -> Result<(), std::fmt::Error> {
    match kind {
        MetricType::Counter => ConstCounter::new(value).encode(encoder),
        _ => ConstGauge::new(value).encode(encoder),
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn metrics_render_with_their_labels() {
        let metrics = Metrics::new();
        metrics.gauge("trust_view_age_seconds", "Age", || vec![(vec![], 0.5)]);
        metrics.counter("trust_syncs", "Syncs", || vec![(vec![("outcome", "ok".into())], 3.0)]);

        let text = metrics.render();

        assert!(text.contains("trust_view_age_seconds 0.5"), "{text}");
        assert!(text.contains("trust_syncs_total{outcome=\"ok\"} 3"), "{text}");
    }
}

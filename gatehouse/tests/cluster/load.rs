//! Calls without a pause, and what each came to.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant as Deadline, timeout, timeout_at},
};

/// Longer than any machine takes: who waits so long waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

type Making<A> = Pin<Box<dyn Future<Output = A> + Send>>;

/// What makes one call, again and again.
pub struct Caller<A>(Arc<dyn Fn() -> Making<A> + Send + Sync>);

/// One call.
#[derive(Debug, Clone)]
pub struct Call<A> {
    /// The place of its caller.
    pub caller: usize,
    pub began: Instant,
    pub took: Duration,
    pub answer: A,
}

/// Callers who call until they are told to stop, each its next call when the one before was answered.
pub struct Load<A> {
    callers: Vec<Caller<A>>,
    calls: Vec<Call<A>>,
    answered: mpsc::UnboundedReceiver<Call<A>>,
    report: mpsc::UnboundedSender<Call<A>>,
    stopped: Arc<AtomicBool>,
    under_way: JoinSet<()>,
}

impl<A> Clone for Caller<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> Caller<A> {
    pub fn new<F: Future<Output = A> + Send + 'static>(call: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Box::pin(call())))
    }

    async fn call(&self, caller: usize, report: &mpsc::UnboundedSender<Call<A>>) {
        let began = Instant::now();
        let answer = (self.0)().await;
        // The receiver lives as long as the load.
        let _ = report.send(Call {
            caller,
            began,
            took: began.elapsed(),
            answer,
        });
    }
}

impl<A: std::fmt::Debug + Send + 'static> Load<A> {
    /// Starts so many loops for each caller.
    pub fn start(callers: Vec<Caller<A>>, loops: usize) -> Self {
        let (report, answered) = mpsc::unbounded_channel();
        let mut load = Self {
            callers,
            calls: Vec::new(),
            answered,
            report,
            stopped: Arc::default(),
            under_way: JoinSet::new(),
        };
        for turn in 0..load.callers.len() * loops {
            let place = turn % load.callers.len();
            let (caller, report, stopped) = (load.callers[place].clone(), load.report.clone(), load.stopped.clone());
            load.under_way.spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    caller.call(place, &report).await;
                }
            });
        }
        load
    }

    /// Makes so many calls at once, besides.
    pub fn salvo(&mut self, calls: usize) {
        for turn in 0..calls {
            let place = turn % self.callers.len();
            let (caller, report) = (self.callers[place].clone(), self.report.clone());
            self.under_way.spawn(async move { caller.call(place, &report).await });
        }
    }

    /// Goes on for a time.
    pub async fn go_on(&mut self, time: Duration) {
        let end = Deadline::now() + time;
        while let Ok(Some(call)) = timeout_at(end, self.answered.recv()).await {
            self.calls.push(call);
        }
    }

    /// Goes on until the calls so far are enough.
    pub async fn until(&mut self, what: &str, enough: impl Fn(&[Call<A>]) -> bool) {
        let waiting = async {
            while !enough(&self.calls) {
                self.calls.extend(self.answered.recv().await);
                while let Ok(call) = self.answered.try_recv() {
                    self.calls.push(call);
                }
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.calls.last());
    }

    /// Goes on until each caller has had so many answers of a kind to calls begun from now on.
    pub async fn until_each(&mut self, what: &str, answers: usize, kind: impl Fn(&A) -> bool) {
        let (callers, now) = (self.callers.len(), Instant::now());
        let counts = |place: usize, call: &Call<A>| call.caller == place && call.began >= now && kind(&call.answer);
        self.until(what, |calls| {
            let had = |place| calls.iter().filter(|call| counts(place, call)).count();
            (0..callers).all(|place| had(place) >= answers)
        })
        .await;
    }

    /// Calls begun since, as far as they are answered.
    pub fn calls_since(&self, began: Instant) -> Vec<Call<A>>
    where
        A: Clone,
    {
        self.calls.iter().filter(|call| call.began >= began).cloned().collect()
    }

    /// Lets the last calls end and gives back all of them.
    pub async fn stop(mut self) -> Vec<Call<A>> {
        self.stopped.store(true, Ordering::Relaxed);
        while let Some(ended) = self.under_way.join_next().await {
            ended.unwrap();
        }
        drop(self.report);
        while let Some(call) = self.answered.recv().await {
            self.calls.push(call);
        }
        self.calls
    }
}

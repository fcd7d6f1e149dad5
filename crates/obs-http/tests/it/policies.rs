//! Both policies of this crate, a real request for each cell: status by form of `Retry-After`.

use std::time::Duration;

use obs_http::{HOLD, Policy};

obs_testkit::policy_table!(every_cell_of_the_default_policy, &Policy::DEFAULT, {
    [200, 201, 202, 204, 207] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [400, 415, 422, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [406, 409, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [429] [Absent, Garbage] => Fails(ErrorKind::RateLimited, Retry::Backoff);
    [429] [Seconds] => Fails(ErrorKind::RateLimited, Retry::After(SECONDS));
    [429] [Date] => Fails(ErrorKind::RateLimited, Retry::After(DATE));
    [429] [Past] => Fails(ErrorKind::RateLimited, Retry::After(Duration::ZERO));
    [408, 425] ANY => Waits(ErrorKind::Unavailable);
    [500, 502, 503, 504, 520, 521, 522, 523, 524, 529] ANY => Waits(ErrorKind::Unavailable);
    [505, 507, 508, 511, 599] ANY => Waits(ErrorKind::Unavailable);
});

obs_testkit::policy_table!(every_cell_of_the_otlp_policy, &Policy::OTLP, {
    [200, 201, 202, 204, 207] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [400, 408, 415, 422, 425] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [406, 409, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [429] ANY => Waits(ErrorKind::RateLimited);
    [503] ANY => Waits(ErrorKind::Unavailable);
    [502, 504] ANY => Fails(ErrorKind::Unavailable, Retry::Backoff);
    [500, 501, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Fails(ErrorKind::Rejected, Retry::Never);
});

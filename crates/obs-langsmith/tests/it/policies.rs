//! What LangSmith's answers mean, a real request for each cell: status by form of `Retry-After`.

use obs_http::HOLD;

obs_testkit::policy_table!(runs, &obs_langsmith::RUNS, {
    [200, 201, 202, 204, 207] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [400, 409, 415, 422, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [406, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [429] ANY => Waits(ErrorKind::RateLimited);
    [408, 425] ANY => Waits(ErrorKind::Unavailable);
    [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
});

obs_testkit::policy_table!(feedback, &obs_langsmith::FEEDBACK, {
    [200, 201, 202, 204, 207, 409] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [400, 415, 422, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [406, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [429] ANY => Waits(ErrorKind::RateLimited);
    [408, 425] ANY => Waits(ErrorKind::Unavailable);
    [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
});

obs_testkit::policy_table!(lookups, &obs_langsmith::LOOKUPS, {
    [200, 201, 202, 204, 207] ANY => Success;
    [301, 302, 303, 304, 307, 308] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [402, 404, 405, 410] ANY => Fails(ErrorKind::Config, Retry::Hold(HOLD));
    [401, 403, 407] ANY => Fails(ErrorKind::Auth, Retry::Hold(HOLD));
    [413, 414, 431] ANY => Fails(ErrorKind::TooLarge, Retry::Never);
    [400, 409, 415, 422, 501] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [406, 411, 412, 423, 424, 426, 428, 451] ANY => Fails(ErrorKind::Rejected, Retry::Never);
    [429] ANY => Waits(ErrorKind::RateLimited);
    [408, 425] ANY => Waits(ErrorKind::Unavailable);
    [500, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524, 529, 599] ANY => Waits(ErrorKind::Unavailable);
});

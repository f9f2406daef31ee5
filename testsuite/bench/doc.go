// Command bench measures Weft against goroutines on the standard net package.
//
//	go run ./testsuite/bench [-rows regexp] [-short]
//
// Every row measures both sides in the same run and interleaved, A B A B, each time in a fresh child
// process with GOMAXPROCS=1 that is pinned to one CPU. It prints the medians, the ratio of Weft to
// goroutines and the bar the project has set itself, as a table that can be pasted into RESULTS.md.
// The exit status is 1 if a bar is missed or a row could not be measured.
//
// The ratio is the median of the rounds' own ratios, so that a machine that drifts between rounds
// moves it less than it moves the medians; the range beside it is the least and the greatest.
//
// The echo rows count requests per second of CPU time that the server process used, whatever the
// load generator used, with the server on the first CPU and the generator (package load) on the second.
// A bare epoll loop in C stands beside them for reference where a C compiler is present. System calls
// per request are counted in a short extra window, by perf or else by strace, so that counting
// disturbs nothing else.
//
// The limits: Linux only, loopback only, and one worker. On a busy machine the ratios hold better than
// the figures. With a single CPU the generator shares it with the server, and the output says so.
package main

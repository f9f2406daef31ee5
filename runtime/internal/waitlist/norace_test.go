//go:build !race

package waitlist_test

const raceEnabled = false

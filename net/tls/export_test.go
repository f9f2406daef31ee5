package tls

import "time"

// MaxQueued is the bound of what a Read may queue.
const MaxQueued = maxQueued

// Queued returns how much is queued in c.
func Queued(c *Conn) int { return int(c.transport.queued.Load()) }

// SetNoticeTime changes the bound of a close_notify until restore is called.
func SetNoticeTime(d time.Duration) (restore func()) {
	before := noticeTime
	noticeTime = d
	return func() { noticeTime = before }
}

// TakeUnsent takes away what c has sealed and not sent.
func TakeUnsent(c *Conn) []byte {
	unsent := c.unsent
	c.unsent, c.buffer = nil, nil
	return unsent
}

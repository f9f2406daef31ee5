// Package pgdial makes connections of a PostgreSQL driver, github.com/jackc/pgx/v5, that a task can use directly.
//
//	config, err := pgx.ParseConfig("postgres://user@db.example/app")
//	...
//	pgdial.Configure(&config.Config)
//	conn, err := pgx.ConnectConfig(ctx, config)
//	...
//	err = conn.QueryRow(ctx, "select 1").Scan(&n) // parks the task
//
// # Why a dialer of package net does not do
//
// When a write of pgx takes more than 15 ms, as it is large or the machine busy, it fears that the server does not
// read before somebody reads its answers, and reads them with a goroutine in the background. Its next own read
// then waits for that goroutine by a sync.Cond. In a task this blocks the worker, for as long as the query takes;
// and for ever, if this worker is the one that would tell the goroutine that the connection is readable.
//
// A connection of this package does the same in the way of tasks: while a write takes long, a task reads, and what
// it has read is kept for the next reads. The background read of pgx ends at once, with a timeout, upon which
// pgx does without.
//
// And when runtime.WithTimeout interrupts a query, pgx would go on to wait for its end. Here it closes the
// connection, as at the end of a context and after a kill.
//
// # Limits
//
// One task, or goroutine, uses a connection at a time, as pgx wants it anyway. What pgx itself does with
// goroutines and channels still belongs in runtime.Offload: CopyFrom, its pool's Acquire, and package stdlib
// (database/sql); docs/guide.md has the list. Such a call may use the same connection.
package pgdial

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// Configure makes the connections of config fit for tasks; for pgx.Connect that is the Config inside of the
// *pgx.ConnConfig, for pgxpool its ConnConfig's. It sets DialFunc, LookupFunc and AfterNetConnect, and keeps an
// AfterNetConnect that was there. It does not park. Connecting parks the task that does it, and blocks a
// goroutine.
func Configure(config *pgconn.Config) {
	config.DialFunc = dial
	config.LookupFunc = net.DefaultResolver.LookupHost
	before := config.AfterNetConnect
	config.AfterNetConnect = func(ctx context.Context, config *pgconn.Config, c net.Conn) (net.Conn, error) {
		// pgx closes what is returned with an error.
		if err := handshake(ctx, c); err != nil {
			return c, err
		}
		if before != nil {
			var err error
			if c, err = before(ctx, config, c); err != nil {
				return c, err
			}
		}
		return &foreground{Conn: c}, nil
	}
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &duplex{Conn: c}, nil
}

// handshake makes the handshake of TLS, if c is that. Otherwise it would come with the first write, beside which
// pgx may begin to read in the background: then the goroutine might hold the lock of the handshake.
func handshake(ctx context.Context, c net.Conn) error {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	// Not HandshakeContext: it waits for a goroutine of its own.
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	err := secure.Handshake()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

// slow is how long a write may take before somebody reads: less than pgx has patience for.
const slow = 10 * time.Millisecond

// duplex is a connection whose Write, from a task, does not rely on the peer to read it all before it is read from.
// It is below TLS, so that what is read early is not decrypted: that might want the lock of the writer.
type duplex struct {
	net.Conn
	early []byte // what was read during a write; the caller of Read or Write owns it
}

// Write writes p. While a task waits in it for long, another one reads, without a bound.
func (c *duplex) Write(p []byte) (int, error) {
	if runtime.Current() == nil {
		return c.Conn.Write(p)
	}
	reader := runtime.SpawnAfter(slow, c.readEarly)
	// Reader and writer are tasks of one worker, so early needs no lock; but the reader must have left Read
	// when the next one comes.
	defer reader.KillWait(nil, 0)
	n, err := c.Conn.Write(p)
	return n, final(err)
}

// readEarly reads until it is killed. An error is left for the next Read, which meets it again.
func (c *duplex) readEarly() {
	for buf := make([]byte, 32<<10); ; {
		n, err := c.Conn.Read(buf)
		c.early = append(c.early, buf[:n]...)
		if err != nil {
			return
		}
	}
}

// Read reads, first what has come during a write.
func (c *duplex) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	n, err := c.Conn.Read(p)
	return n, final(err)
}

// final makes the end of a runtime.WithTimeout an error that is no net.Error. After one whose Timeout reports
// true, which is what its own contexts lead to, pgx reads on; but nothing would interrupt it again.
func final(err error) error {
	var timeout *runtime.Timeout
	if errors.As(err, &timeout) {
		return interrupted{err}
	}
	return err
}

// interrupted is an error that is found by errors.Is, but not by errors.As.
type interrupted struct{ error }

func (e interrupted) Is(target error) bool { return errors.Is(e.error, target) }

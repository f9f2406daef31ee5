package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// A Config says which cluster it is, and how it is used. The zero Config is for a trial: it
// starts a server in this process. All of it is data, so that worker processes get the same.
type Config struct {
	// URL is where the servers are: "nats://user:password@host:4222", with tls:// for TLS,
	// several of them with commas between. One that answers is enough: it knows the others.
	// Without a URL a server is started in this process, on a loopback address, with a
	// password of its own. It ends with Close.
	URL string

	Credentials string // file with a user's JWT and key, as nsc makes it; or none
	CAFile      string // certificates that the servers' must be signed by; default: the system's
	CertFile    string // this client's certificate, if the servers want one
	KeyFile     string // its key

	// Dir is where the server of this process keeps its data. Without one these are in
	// memory, and gone after Close.
	Dir string

	// Replicas is how many servers have each job and item, an odd number up to 5. The
	// default is 3 if the servers are a cluster, else 1. It counts for what is made, not for
	// what exists.
	Replicas int

	// InMemory makes the servers keep jobs and items in memory, not in files. Then they are lost
	// when all servers end.
	InMemory bool

	// Lease is how long a job or item stays with a process that no longer says that it has
	// it, since it has died or is cut off. Then another one gets it. The default is 10 s.
	// It counts for what is made, as Replicas does.
	Lease time.Duration

	// Attempts is how often a job is given to a worker before it fails with an
	// *AttemptsError. The default is 5.
	Attempts int

	// Forget is how long a pool may be cut off from the servers before they forget it, its
	// jobs and its results. The default is 5 minutes.
	Forget time.Duration
}

const (
	defaultLease    = 10 * time.Second
	defaultAttempts = 5
	defaultForget   = 5 * time.Minute

	leastLease = 100 * time.Millisecond
)

var errConfig = errors.New("out of range")

// complete sets the defaults.
func (c *Config) complete() error {
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	if c.Attempts == 0 {
		c.Attempts = defaultAttempts
	}
	if c.Forget == 0 {
		c.Forget = defaultForget
	}
	switch {
	case c.Lease < leastLease:
		return fmt.Errorf("cluster: Lease %v: %w", c.Lease, errConfig)
	case c.Attempts < 1:
		return fmt.Errorf("cluster: Attempts %d: %w", c.Attempts, errConfig)
	case c.Forget < leastLease:
		return fmt.Errorf("cluster: Forget %v: %w", c.Forget, errConfig)
	case c.Replicas < 0 || c.Replicas > 5:
		return fmt.Errorf("cluster: Replicas %d: %w", c.Replicas, errConfig)
	}
	return nil
}

// A server that does not answer is left for another one after about three times pingInterval.
const (
	pingInterval  = time.Second
	reconnectWait = 100 * time.Millisecond
	dialTimeout   = 3 * time.Second
)

// options are those of the connection.
func (c *Config) options(onError func(error)) []nats.Option {
	options := []nats.Option{
		nats.Name("weft"),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1), // we send again ourselves
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(dialTimeout),
		nats.FlusherTimeout(dialTimeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { onError(err) }),
	}
	if c.Credentials != "" {
		options = append(options, nats.UserCredentials(c.Credentials))
	}
	if c.CAFile != "" {
		options = append(options, nats.RootCAs(c.CAFile))
	}
	if c.CertFile != "" || c.KeyFile != "" {
		options = append(options, nats.ClientCert(c.CertFile, c.KeyFile))
	}
	return options
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// checkName panics if a pool or queue can't have a name, as it would be no part of a subject.
func checkName(name string) {
	if !goodName.MatchString(name) {
		panic("cluster: the name " + strings.ToValidUTF8(name, "?") + ": letters, digits, - and _ only, up to 100 of them")
	}
}

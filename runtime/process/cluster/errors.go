package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weft-go/weft/runtime/process"
)

var (
	// ErrClosed is the error of jobs whose Cluster was closed, and of calls after that.
	ErrClosed = errors.New("cluster: closed")

	// ErrForgotten is the error of jobs of a pool that was cut off from the servers for longer
	// than Config.Forget.
	ErrForgotten = errors.New("cluster: the servers have forgotten this pool, which was cut off for too long")

	// ErrOtherQueue is returned when there is a queue of that name already, but with another
	// bound, or for items of another type.
	ErrOtherQueue = errors.New("cluster: the queue of that name is another one")
)

func init() {
	for _, err := range []error{ErrClosed, ErrForgotten, ErrOtherQueue, ErrNoCluster} {
		process.RegisterError("weft "+err.Error(), err)
	}
}

// An AttemptsError is the error of a job that was given to a worker so often and not
// finished: it kills its workers, or each of them was lost at that time for another reason.
type AttemptsError struct {
	Func     string
	Attempts int // by this many workers
}

func (e *AttemptsError) Error() string {
	return fmt.Sprintf("cluster: job %s was given up: %d workers in a row died in it, or were lost", e.Func, e.Attempts)
}

// A SizeError says that a message is larger than the servers allow (max_payload). It is in an
// *process.EncodeError for an argument or item, and in an *process.RemoteError for a result.
type SizeError struct {
	Size, Max int64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("a message of %d bytes, and the servers take %d at most", e.Size, e.Max)
}

// The numbers of errors of the servers that we need to tell apart.
const (
	codeNotEnabledForAccount = 10039
	codeNotEnabled           = 10076
	codeNoPeers              = 10005 // also while a cluster forms
	codeStoreFailed          = 10077 // also when a stream is full
)

// transient reports whether a request may succeed later: it was not answered, or by a cluster that
// has no leader at the moment.
func transient(err error) bool {
	for _, passing := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrStaleConnection,
		nats.ErrConnectionReconnecting, jetstream.ErrNoStreamResponse, context.DeadlineExceeded,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	var api jetstream.JetStreamError
	if errors.As(err, &api) && api.APIError() != nil {
		return transientAPI(api.APIError())
	}
	return false
}

func transientAPI(e *jetstream.APIError) bool {
	switch e.ErrorCode {
	case codeNotEnabledForAccount, codeNotEnabled:
		return false
	case codeNoPeers:
		return true
	}
	return e.Code == 503
}

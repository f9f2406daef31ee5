package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stream returns the stream of that configuration, which it makes if there is none of that name.
// It blocks, or parks.
func (c *Cluster) stream(config jetstream.StreamConfig) (jetstream.Stream, error) {
	config.Storage = jetstream.FileStorage
	if c.config.InMemory {
		config.Storage = jetstream.MemoryStorage
	}
	config.Replicas = c.config.Replicas
	if config.Replicas == 0 {
		config.Replicas = 1
		if c.nc.ConnectedClusterName() != "" {
			config.Replicas = 3
		}
	}
	return ask(c, func(ctx context.Context) (jetstream.Stream, error) {
		s, err := c.js.Stream(ctx, config.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			s, err = c.js.CreateStream(ctx, config)
		}
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // made by another one meanwhile
			return c.js.Stream(ctx, config.Name)
		}
		return s, err
	})
}

// consumer returns the consumer of that name, which it makes if there is none.
func (c *Cluster) consumer(s jetstream.Stream, config jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	config.AckPolicy = jetstream.AckExplicitPolicy
	config.MaxAckPending = -1
	config.MaxWaiting = mostWaiting
	config.MaxDeliver = -1
	return ask(c, func(ctx context.Context) (jetstream.Consumer, error) {
		consumer, err := s.Consumer(ctx, config.Durable)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			consumer, err = s.CreateConsumer(ctx, config)
		}
		if errors.Is(err, jetstream.ErrConsumerExists) || errors.Is(err, jetstream.ErrConsumerNameAlreadyInUse) {
			return s.Consumer(ctx, config.Durable)
		}
		return consumer, err
	})
}

// lost reports whether the servers have answered that there is no such consumer. It blocks.
func (c *Cluster) lost(stream, consumer string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	_, err := c.js.Consumer(ctx, stream, consumer)
	return errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// mostWaiting is how many processes may wait for something of the same consumer.
const mostWaiting = 1 << 16

const (
	// pullExpiry is how long a request for messages waits with the servers.
	pullExpiry = 20 * time.Second
	// pullHeartbeat is how often these say that they still have it. When they say nothing for
	// twice as long the request is made again.
	pullHeartbeat = time.Second
)

// messages returns an iterator over the messages of a consumer, which gets up to n in advance.
func messages(consumer jetstream.Consumer, n int) (jetstream.MessagesContext, error) {
	return consumer.Messages(jetstream.PullMaxMessages(n), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat))
}

// beatEvery is how often one who has a message says so.
func beatEvery(lease time.Duration) time.Duration { return max(lease/4, leastLease/4) }

// leaseOf returns the lease of the messages of a consumer, which may have been made by others.
func leaseOf(consumer jetstream.Consumer) time.Duration {
	return consumer.CachedInfo().Config.AckWait
}

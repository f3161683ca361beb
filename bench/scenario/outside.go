package scenario

import (
	"github.com/catraca/catraca/bench/network"
	"github.com/catraca/catraca/bench/record"
)

func (c *checker) network(path, text string) {
	_, err := network.ParseClass(text)
	c.must(err == nil, path, "%v", err)
}

func (c *checker) threshold(path, text string) {
	_, err := record.ParseThreshold(text)
	c.must(err == nil, path, "%v", err)
}

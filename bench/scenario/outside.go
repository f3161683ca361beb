package scenario

func (c *checker) network(path, text string) {
	c.must(text != "" && len(text) <= 200, path, "1 to 200 bytes are needed")
}

func (c *checker) threshold(path, text string) {
	c.must(text != "" && len(text) <= 200, path, "1 to 200 bytes are needed")
}

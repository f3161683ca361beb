package config

import (
	"fmt"
	"os"

	"github.com/catraca/catraca/config/strict"
)

// Load reads the file over the defaults; an empty path is an empty file. lookup is the environment.
func Load(path string, _ func(string) (string, bool)) (Config, error) {
	cfg := Default()
	if path == "" {
		return cfg, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return cfg, fmt.Errorf("read configuration: %w", err)
	}
	if err := strict.Decode(path, data, &cfg); err != nil {
		return cfg, err
	}
	return cfg, nil
}

package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// valid is a configuration that a server on this machine could run with.
func valid() Config {
	c := Default()
	c.Payment = Payment{SecretKeyFile: "key", WebhookSecretFile: "webhook", HostedPage: "https://pay.example/{payment_intent}/{client_secret}"}
	return c
}

// open is one that listens to the world.
func open() Config {
	c := valid()
	c.Fan.Listen, c.Fan.CertFile, c.Fan.KeyFile, c.Fan.PublicURL = ":443", "cert", "key", "https://shop.example"
	c.Mail.From = "Shop <shop@shop.example>"
	return c
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]Config{"this machine": valid(), "the world": open()} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if w := c.Warnings(); len(w) > 0 {
			t.Errorf("%s: %v", name, w)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	tests := []struct {
		want   string // the only problem
		change func(*Config)
	}{
		{`node.id: "", allowed are 1 to 63`, func(c *Config) { c.Node.ID = "" }},
		{`node.id: "N 1", allowed are 1 to 63`, func(c *Config) { c.Node.ID = "N 1" }},
		{`node.data: is empty`, func(c *Config) { c.Node.Data = "" }},
		{`fan.listen: "8080", allowed is host:port`, func(c *Config) { c.Fan.Listen = "8080" }},
		{`fan.listen: "127.0.0.1:99999", allowed is host:port`, func(c *Config) { c.Fan.Listen = "127.0.0.1:99999" }},
		{`fan.key_file: is missing`, func(c *Config) { c.Fan.CertFile = "cert" }},
		{`fan.cert_file: is missing`, func(c *Config) { c.Fan.KeyFile = "key" }},
		{`fan.public_url: "shop.example", allowed is scheme://`, func(c *Config) { c.Fan.PublicURL = "shop.example" }},
		{`fan.public_url: "https://shop.example/x", allowed is scheme://`, func(c *Config) { c.Fan.PublicURL = "https://shop.example/x" }},
		{`fan.public_url: "https://a:b@shop.example", allowed is scheme://`, func(c *Config) { c.Fan.PublicURL = "https://a:b@shop.example" }},
		{`fan.public_url: http://shop.example: passwords would travel in clear`, func(c *Config) { c.Fan.PublicURL = "http://shop.example" }},
		{`fan.public_url: http://127.0.0.1:1 is not https, but fan.cert_file is set`, func(c *Config) {
			c.Fan.CertFile, c.Fan.KeyFile, c.Fan.PublicURL = "cert", "key", "http://127.0.0.1:1"
		}},
		{`fan.origins[1]: "*", allowed is scheme://`, func(c *Config) { c.Fan.Origins = []string{"https://a.example", "*"} }},
		{`fan.trusted_proxies[0]: "proxy", allowed is an address`, func(c *Config) { c.Fan.TrustedProxies = []string{"proxy"} }},
		{`fan.trusted_proxies[0]: 0.0.0.0/0 believes everybody`, func(c *Config) { c.Fan.TrustedProxies = []string{"0.0.0.0/0"} }},
		{`fan.max_connections: 0, allowed are 1 to 10000000`, func(c *Config) { c.Fan.MaxConnections = 0 }},
		{`fan.per_address: -1, allowed are 1 to 10000000`, func(c *Config) { c.Fan.PerAddress = -1 }},
		{`operator.listen: 10.0.0.1:8081 can be reached from other machines`, func(c *Config) { c.Operator.Listen = "10.0.0.1:8081" }},
		{`operator.listen: 127.0.0.1:8080 is fan.listen already`, func(c *Config) { c.Operator.Listen = "127.0.0.1:8080" }},
		{`operator.listen: 127.0.0.1:7100 is cluster.listen already`, func(c *Config) { c.Operator.Listen = "127.0.0.1:7100" }},
		{`cluster.listen: 127.0.0.1:8080 is fan.listen already`, func(c *Config) { c.Cluster.Listen = "127.0.0.1:8080" }},
		{`cluster.listen: "7100"`, func(c *Config) { c.Cluster.Listen = "7100" }},
		{`cluster.advertise: is needed, because cluster.listen 0.0.0.0:7100`, func(c *Config) { c.Cluster.Listen = "0.0.0.0:7100" }},
		{`cluster.advertise: is needed`, func(c *Config) { c.Cluster.Listen = ":7100" }},
		{`cluster.advertise: "[::]:7100"`, func(c *Config) { c.Cluster.Advertise = "[::]:7100" }},
		{`cluster.advertise: "n1:0"`, func(c *Config) { c.Cluster.Advertise = "n1:0" }},
		{`cluster.role: "king", allowed are voter, gateway`, func(c *Config) { c.Cluster.Role = "king" }},
		{`cluster.replicas: 2, allowed are 1, 3 and 5`, func(c *Config) { c.Cluster.Replicas = 2 }},
		{`cluster.routes: N2: 10.0.0.2:7100`, func(c *Config) { c.Cluster.Routes = map[string]string{"N2": "10.0.0.2:7100"} }},
		{`cluster.routes: n2: 10.0.0.2`, func(c *Config) { c.Cluster.Routes = map[string]string{"n2": "10.0.0.2"} }},
		{`cluster.dead_after: 1s, allowed are 5s to 24h`, func(c *Config) { c.Cluster.DeadAfter = time.Second }},
		{`node.check: "sometimes", allowed are auto, always, never`, func(c *Config) { c.Node.Check = "sometimes" }},
		{`node.id: "-n1"`, func(c *Config) { c.Node.ID = "-n1" }},
		{`node.id: "n.1"`, func(c *Config) { c.Node.ID = "n.1" }},
		{`cluster.shards: 1, allowed are 2 to 256`, func(c *Config) { c.Cluster.Shards = 1 }},
		{`accounts.session_life: 0s, allowed are 1m to 2160h`, func(c *Config) { c.Accounts.SessionLife = 0 }},
		{`accounts.hash_workers: 257, allowed are 0 to 256`, func(c *Config) { c.Accounts.HashWorkers = 257 }},
		{`accounts.hash_max_wait: 2h, allowed are 10ms to 1m`, func(c *Config) { c.Accounts.HashMaxWait = 2 * time.Hour }},
		{`accounts.per_address_per_minute: 0`, func(c *Config) { c.Accounts.PerAddressMin = 0 }},
		{`accounts.per_account_per_minute: 0`, func(c *Config) { c.Accounts.PerAccountMin = 0 }},
		{`payment.api_url: http://pay.example: passwords would travel in clear`, func(c *Config) { c.Payment.APIURL = "http://pay.example" }},
		{"payment.secret_key_file: is needed; `catraca sandbox`", func(c *Config) { c.Payment.SecretKeyFile = "" }},
		{"payment.webhook_secret_file: is needed", func(c *Config) { c.Payment.WebhookSecretFile = "" }},
		{`payment.hosted_page: is needed`, func(c *Config) { c.Payment.HostedPage = "" }},
		{`payment.hosted_page: "https://pay.example/{client_secret}" lacks {payment_intent}`, func(c *Config) { c.Payment.HostedPage = "https://pay.example/{client_secret}" }},
		{`has an unknown placeholder`, func(c *Config) { c.Payment.HostedPage += "?{token}" }},
		{`payment.hosted_page: "/pay/{payment_intent}{client_secret}", allowed is an address`, func(c *Config) { c.Payment.HostedPage = "/pay/{payment_intent}{client_secret}" }},
		{`cards would travel in clear`, func(c *Config) { c.Payment.HostedPage = "http://pay.example/{payment_intent}{client_secret}" }},
		{`mail.host: "", allowed is`, func(c *Config) { c.Mail.Host = "" }},
		{`mail.host: "smtp.example:25", allowed is`, func(c *Config) { c.Mail.Host = "smtp.example:25" }},
		{`mail.port: 70000, allowed are 0 to 65535`, func(c *Config) { c.Mail.Port = 70000 }},
		{`mail.tls: none would send tickets in clear to smtp.example`, func(c *Config) { c.Mail.TLS, c.Mail.Host = "none", "smtp.example" }},
		{`mail.tls: "ssl", allowed are starttls, implicit and none`, func(c *Config) { c.Mail.TLS = "ssl" }},
		{`mail.password_file: is missing`, func(c *Config) { c.Mail.User = "me" }},
		{`mail.user: is missing`, func(c *Config) { c.Mail.PasswordFile = "file" }},
		{`mail.from: "me", allowed is Name <address>`, func(c *Config) { c.Mail.From = "me" }},
		{`mail.virtual_fans: smtp.example would send letters to addresses that exist nowhere`, func(c *Config) { c.Mail.VirtualFans, c.Mail.Host = true, "smtp.example" }},
		{`log.level: "loud", allowed are debug, info, warn, error`, func(c *Config) { c.Log.Level = "loud" }},
		{`log.format: "xml", allowed are json, text`, func(c *Config) { c.Log.Format = "xml" }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			c := valid()
			tt.change(&c)
			var p FieldErrors
			if err := c.Validate(); !errors.As(err, &p) || len(p) != 1 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestValidateTellsEverything counts the mistakes of a configuration that is wrong everywhere.
func TestValidateTellsEverything(t *testing.T) {
	var p FieldErrors
	if err := (&Config{}).Validate(); !errors.As(err, &p) || len(p) < 18 {
		t.Errorf("%d problems: %v", len(p), err)
	}
	if err := (&Config{}).Validate(); strings.Count(err.Error(), "\n") != len(p)-1 {
		t.Errorf("not a line each: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		want   string
		change func(*Config)
	}{
		{"operator.listen", func(c *Config) { c.Operator = Listener{"0.0.0.0:8081", "cert", "key"} }},
		{"operator.listen", func(c *Config) { c.Operator = Listener{"203.0.113.5:8081", "cert", "key"} }},
		{"", func(c *Config) { c.Operator = Listener{"10.1.2.3:8081", "cert", "key"} }},
		{"fan.trusted_proxies", func(c *Config) { c.Fan = valid().Fan; c.Fan.PublicURL = "https://shop.example" }},
		{"mail.from", func(c *Config) { c.Mail.From = Default().Mail.From }},
	}
	for _, tt := range tests {
		c := open()
		tt.change(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", tt.want, err)
		}
		got := ""
		for _, w := range c.Warnings() {
			got += w.Path
		}
		if got != tt.want {
			t.Errorf("warned of %q, want %q", got, tt.want)
		}
	}
}

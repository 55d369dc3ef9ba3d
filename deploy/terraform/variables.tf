variable "name" {
  description = "Name of the stack"
  type        = string
  default     = "pictures"
}

variable "source_buckets" {
  description = "Names of the S3 buckets that hold the originals. The first one is the default source"
  type        = list(string)

  validation {
    condition     = length(var.source_buckets) > 0
    error_message = "At least one bucket must be given."
  }
}

variable "image_uri" {
  description = "Container image in Amazon ECR with its digest, as make image prints it. Leave it out to have AWS CodeBuild build it"
  type        = string
  default     = null
}

variable "archive_url" {
  description = "Address of a release as .tar.gz that AWS CodeBuild builds the container image from, instead of image_uri"
  type        = string
  default     = null
}

variable "template_bucket" {
  description = "Existing bucket, in the region of the stack, that the template is sent through"
  type        = string
}

variable "parameters" {
  description = "Any other parameters of the template, by their names there, such as { EnableSignature = \"Yes\" }"
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation gives to its resources"
  type        = map(string)
  default     = {}
}

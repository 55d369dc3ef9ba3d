# The image service as a stack of CloudFormation. docs/deploy.md explains both ("CDK and Terraform").

locals {
  builds   = var.image_uri == null
  name     = local.builds ? "image-handler-launch-template.yaml" : "serverless-image-handler-template.yaml"
  template = "${path.module}/../../template/${local.name}"
  given    = local.builds ? { ArchiveUrl = var.archive_url } : { ImageUri = var.image_uri }
}

# A template of this size is not sent inline.
resource "aws_s3_object" "template" {
  bucket = var.template_bucket
  key    = "${var.name}/${filesha256(local.template)}.yaml"
  source = local.template
}

data "aws_s3_bucket" "templates" {
  bucket = var.template_bucket
}

resource "aws_cloudformation_stack" "image_handler" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.templates.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]
  parameters   = merge(local.given, { SourceBuckets = join(",", var.source_buckets) }, var.parameters)
  tags         = var.tags

  lifecycle {
    precondition {
      condition     = (var.image_uri == null) != (var.archive_url == null)
      error_message = "Exactly one of image_uri and archive_url must be given."
    }
  }

  timeouts {
    create = "90m"
    update = "90m"
  }
}

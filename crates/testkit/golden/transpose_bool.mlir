module @transpose_bool attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi1>) -> (tensor<3x2xi1>) {
    %0 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<2x3xi1>) -> tensor<3x2xi1>
    return %0 : tensor<3x2xi1>
  }
}

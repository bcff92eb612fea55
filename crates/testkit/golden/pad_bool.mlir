module @pad_bool attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi1>) -> (tensor<3x3xi1>) {
    %0 = stablehlo.constant dense<false> : tensor<i1>
    %1 = stablehlo.pad %arg0, %0, low = [0, 0], high = [1, 0], interior = [0, 0] : (tensor<2x3xi1>, tensor<i1>) -> tensor<3x3xi1>
    return %1 : tensor<3x3xi1>
  }
}

module @convert_bool_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi1>) -> (tensor<2x3xf32>) {
    %0 = stablehlo.convert %arg0 : (tensor<2x3xi1>) -> tensor<2x3xf32>
    return %0 : tensor<2x3xf32>
  }
}

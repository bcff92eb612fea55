module @swiglu_scaled_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xbf16>, %arg1: tensor<6x19xbf16>, %arg2: tensor<6xf32>, %arg3: tensor<6x19xbf16>) -> (tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6xf32>) {
    %0 = stablehlo.convert %arg0 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %1 = stablehlo.convert %arg1 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %2 = stablehlo.logistic %0 : tensor<6x19xf32>
    %3 = stablehlo.multiply %0, %2 : tensor<6x19xf32>
    %4 = stablehlo.multiply %3, %1 : tensor<6x19xf32>
    %5 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<6xf32>) -> tensor<6x19xf32>
    %6 = stablehlo.multiply %4, %5 : tensor<6x19xf32>
    %7 = stablehlo.convert %6 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    %8 = stablehlo.convert %arg3 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %9 = stablehlo.multiply %8, %5 : tensor<6x19xf32>
    %10 = stablehlo.multiply %9, %1 : tensor<6x19xf32>
    %11 = stablehlo.multiply %10, %2 : tensor<6x19xf32>
    %12 = stablehlo.negate %2 : tensor<6x19xf32>
    %13 = stablehlo.constant dense<1.0> : tensor<f32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %15 = stablehlo.add %12, %14 : tensor<6x19xf32>
    %16 = stablehlo.multiply %0, %15 : tensor<6x19xf32>
    %17 = stablehlo.add %16, %14 : tensor<6x19xf32>
    %18 = stablehlo.multiply %11, %17 : tensor<6x19xf32>
    %19 = stablehlo.multiply %9, %0 : tensor<6x19xf32>
    %20 = stablehlo.multiply %19, %2 : tensor<6x19xf32>
    %21 = stablehlo.convert %18 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    %22 = stablehlo.convert %20 : (tensor<6x19xf32>) -> tensor<6x19xbf16>
    %23 = stablehlo.multiply %8, %4 : tensor<6x19xf32>
    %24 = stablehlo.constant dense<0.0> : tensor<f32>
    %25 = stablehlo.reduce(%23 init: %24) applies stablehlo.add across dimensions = [1] : (tensor<6x19xf32>, tensor<f32>) -> tensor<6xf32>
    return %7, %21, %22, %25 : tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6xf32>
  }
}
